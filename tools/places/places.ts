/** Reads directory and places, and writes what a repair says. */
import { HOME_SHARD } from '#libs/config';
import type { Client } from 'pg';
import { compare, type Difference, type DirectoryEntry, type PlaceOnShard } from './compare';

type Clients = ReadonlyMap<string, Client>;

const ENTRIES = `
  select o.id, o.slug, o.state, o.epoch, o.tier, coalesce(o.shard, b.shard) as shard
  from organizations o join shard_buckets b on b.bucket = o.shard_key order by o.slug`;
const PLACES = 'select tenant, epoch, state from tenant_places';

/** The directory is read first: an organization made in between has a place, and is not found missing. */
export async function findDifferences(clients: Clients): Promise<Difference[]> {
  const { rows: entries } = await clients.get(HOME_SHARD)!.query<DirectoryEntry>(ENTRIES);
  const places: PlaceOnShard[] = [];
  for (const [shard, client] of clients) {
    const { rows } = await client.query<Omit<PlaceOnShard, 'shard'>>(PLACES);
    places.push(...rows.map((row) => ({ ...row, shard })));
  }
  return compare(entries, places, [...clients.keys()]);
}

/** Places first: until the directory follows, nobody can enter the organization, and nothing is written where it should not be. */
export async function repair(clients: Clients, { organization, repair: wanted }: Difference): Promise<void> {
  if (wanted === undefined) return;
  const home = clients.get(HOME_SHARD)!;
  const { rows } = await home.query<{ state: string; tier: string }>(
    'select state, tier from organizations where id = $1',
    [organization],
  );
  const state = rows[0]!.state === 'suspended' ? 'suspended' : 'open';
  for (const shard of wanted.past) await putPlace(clients.get(shard)!, organization, wanted.epoch, 'moved');
  await putPlace(clients.get(wanted.shard)!, organization, wanted.epoch, state);
  await home.query(
    `update organizations o set epoch = $2, version = version + 1, updated_at = now(),
       shard = case when (select coalesce(o.shard, b.shard) from shard_buckets b where b.bucket = o.shard_key) = $3
         then o.shard else $3 end
     where id = $1`,
    [organization, wanted.epoch, wanted.shard],
  );
}

async function putPlace(client: Client, tenant: string, epoch: number, state: string): Promise<void> {
  await client.query(
    'update tenant_places set epoch = $2, state = $3, updated_at = now() where tenant = $1 and epoch < $2',
    [tenant, epoch, state],
  );
}
