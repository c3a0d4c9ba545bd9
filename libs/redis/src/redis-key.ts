/** Names of keys. Everything that belongs to a tenant shares the hash tag of its id, so that one script may touch it. */

/** `prefix:area:{organization}:part:part`; without a tenant, `prefix:area:part:part`. */
export function redisKey(
  prefix: string,
  area: string,
  organizationId: string | null,
  ...parts: readonly (string | number)[]
): string {
  let key = organizationId === null ? `${prefix}:${area}` : `${prefix}:${area}:{${organizationId}}`;
  for (const part of parts) key += `:${part}`;
  return key;
}
