/** The text of a cached value: its JSON, or nothing for "there is none". */
import type { Shape } from '#libs/kernel';

export function encode(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value);
}

/** Undefined for no text, or one that is not a value of this release. */
export function decode<T>(
  payload: string | undefined,
  shape?: Shape<T>,
): { readonly value: T | undefined } | undefined {
  if (payload === undefined) return undefined;
  if (payload === '') return { value: undefined };
  try {
    const value = JSON.parse(payload) as T;
    return shape?.validate(value).issues ? undefined : { value };
  } catch {
    return undefined;
  }
}

/** Freezes a value that came out of JSON, with all that it holds: everybody is given the same one. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) deepFreeze(part);
    Object.freeze(value);
  }
  return value;
}
