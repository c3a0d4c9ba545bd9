/** The version in the package.json that this code belongs to: of the checkout, or of an image. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export function releaseVersion(from: string = __dirname): string {
  const file = join(from, 'package.json');
  if (!existsSync(file)) return releaseVersion(dirname(from));
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
