/** The place of a tenant on a shard (docs/data-plane.md), as whole-tenant operations set it. */
import type { Tier } from '#libs/tenancy';
import type { ClientBase } from 'pg';

export interface Place {
  readonly tenant: string;
  readonly epoch: number;
  readonly state: 'open' | 'suspended' | 'arriving' | 'deleting';
  readonly tier: Tier;
}

/** As stockyard_mover. Whoever needs all writers gone takes their lock afterwards. */
export async function putPlace(client: ClientBase, { tenant, epoch, state, tier }: Place): Promise<void> {
  await client.query(
    `insert into tenant_places (tenant, epoch, state, tier) values ($1, $2, $3, $4) on conflict (tenant)
     do update set epoch = excluded.epoch, state = excluded.state, tier = excluded.tier, updated_at = now()`,
    [tenant, epoch, state, tier],
  );
}

/** As stockyard_control. Resolves with the number of rows. */
export async function removePlace(client: ClientBase, tenant: string): Promise<number> {
  return (await client.query('delete from tenant_places where tenant = $1', [tenant])).rowCount ?? 0;
}

/** Name of the newest migration, as stockyard_mover. */
export async function schemaVersion(client: ClientBase): Promise<string> {
  const { rows } = await client.query<{ name: string }>('select name from schema_migrations order by id desc limit 1');
  return rows[0]?.name ?? 'none';
}
