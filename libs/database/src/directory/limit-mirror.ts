/** Overrides of limits stand in the directory and, mirrored, on the shard where the tenant lives: the database enforces some. */
import { HOME_SHARD } from '#libs/config';
import type { LimitName } from '#libs/tenancy';
import type { Shards } from '../shards/shards.service';
import { LIMIT_COLUMNS, LIMIT_NAMES, type OrganizationRow, overridesOf, SELECT_ORGANIZATION } from './organization-row';

export type LimitValues = Readonly<Record<LimitName, number | null>>;

/** A pool of the control role, or one connection of it. */
interface Queryable {
  query(text: string, values: unknown[]): Promise<unknown>;
}

const COLUMNS = LIMIT_NAMES.map((name) => LIMIT_COLUMNS[name]);
const PUT = `
  insert into tenant_limits (organization_id, ${COLUMNS.join(', ')})
  values ($1, ${COLUMNS.map((_, index) => `$${index + 2}`).join(', ')})
  on conflict (organization_id) do update set updated_at = now(),
    ${COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}`;
const REMOVE = 'delete from tenant_limits where organization_id = $1';

/** Replaces all overrides of an organization; null goes back to the tier's limit. In the transaction that `client` is in. */
export async function putLimits(client: Queryable, id: string, overrides: LimitValues): Promise<void> {
  await client.query(PUT, [id, ...LIMIT_NAMES.map((name) => overrides[name])]);
}

/** The home shard has the directory's own. */
export async function mirrorLimits(shards: Shards, shard: string, id: string, overrides: LimitValues): Promise<void> {
  if (shard === HOME_SHARD) return;
  await putLimits(shards.pool(shard, 'control'), id, overrides);
}

/** Brings the copy on a shard in line with the directory. */
export async function refreshLimits(shards: Shards, shard: string, id: string): Promise<void> {
  const { rows } = await shards
    .pool(HOME_SHARD, 'control')
    .query<OrganizationRow>(`${SELECT_ORGANIZATION} where o.id = $1`, [id]);
  if (rows[0]) await mirrorLimits(shards, shard, id, overridesOf(rows[0]));
}

/** Takes the copy away where the tenant does not live any more. */
export async function removeLimits(shards: Shards, shard: string, id: string): Promise<void> {
  if (shard === HOME_SHARD) return;
  await shards.pool(shard, 'control').query(REMOVE, [id]);
}
