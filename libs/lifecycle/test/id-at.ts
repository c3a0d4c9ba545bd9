/** Ids of the past: the platform's own never go back in time. */
import { newId } from '#libs/kernel';

export function idAt(unixMs: number): string {
  const time = unixMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}${newId().slice(13)}`;
}
