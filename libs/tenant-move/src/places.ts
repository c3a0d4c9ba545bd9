/**
 * What a move does to the tenant's places. Each change names the state and the epoch that it expects, so that a process which
 * was thought dead changes nothing after another one has gone on.
 */
import type { Client } from 'pg';
import { overtaken } from './move.error';

export interface Place {
  readonly state: string;
  readonly epoch: number;
  readonly tier: string;
}

export async function readPlace(client: Client, tenant: string): Promise<Place | undefined> {
  const { rows } = await client.query<Place>('select state, epoch, tier from tenant_places where tenant = $1', [
    tenant,
  ]);
  return rows[0];
}

export interface PlaceChange {
  /** States that the place may be in; it stays as it is if it already is what it becomes. */
  readonly from: readonly string[];
  /** Any where left out. */
  readonly fromEpochs?: readonly number[];
  readonly to: string;
  readonly toEpoch: number;
  /** Unchanged where left out. */
  readonly tier?: string;
}

/** The tier of the place. Throws `move_overtaken` where the place is neither what is expected nor what it becomes. */
export async function changePlace(client: Client, tenant: string, change: PlaceChange): Promise<string> {
  const { rows } = await client.query<{ tier: string }>(
    `update tenant_places set state = $4, epoch = $5, tier = coalesce($6, tier), updated_at = now()
     where tenant = $1 and (state = any ($2) and epoch = any (coalesce($3, array[epoch])) or state = $4 and epoch = $5)
     returning tier`,
    [tenant, change.from, change.fromEpochs ?? null, change.to, change.toEpoch, change.tier ?? null],
  );
  if (!rows[0]) throw overtaken(`The organization's place cannot become ${change.to}`);
  return rows[0].tier;
}

/** Makes the place on the target, or takes the one that an earlier move away from it left behind. */
export async function arrive(target: Client, tenant: string, arriving: Omit<Place, 'state'>): Promise<void> {
  const { rowCount } = await target.query(
    `insert into tenant_places as p (tenant, epoch, state, tier) values ($1, $2, 'arriving', $3)
     on conflict (tenant) do update set epoch = excluded.epoch, state = 'arriving', tier = excluded.tier, updated_at = now()
     where p.state in ('moved', 'arriving')`,
    [tenant, arriving.epoch, arriving.tier],
  );
  if (!rowCount) throw overtaken('The organization has a place on the target that is in use');
}

/** Takes the place on the target away again. */
export async function departFromTarget(target: Client, tenant: string): Promise<void> {
  await target.query("delete from tenant_places where tenant = $1 and state = 'arriving'", [tenant]);
}
