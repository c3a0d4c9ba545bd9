/** Keys of files: short, lower-case path segments. Everything that a path could be tricked with is refused. */
import { isUuid, StockyardError } from '#libs/kernel';

const KEY = /^[a-z0-9][a-z0-9_-]{0,63}(?:\/[a-z0-9][a-z0-9_-]{0,63}){0,4}(?:\.[a-z0-9]{1,10})?$/;

/** The path of a tenant's file below the root, such as `{organization}/imports/{id}.csv`. Throws for any other key. */
export function tenantPath(organizationId: string, key: string): string {
  if (!isUuid(organizationId) || !KEY.test(key)) {
    throw new StockyardError({
      code: 'invalid_file_key',
      category: 'internal',
      message: 'A file key is made of lower-case segments, such as imports/2026.csv.',
    });
  }
  return `${organizationId}/${key}`;
}
