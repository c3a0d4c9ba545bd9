/** Two databases that stand for two shards, the first being home. */
import { roleUrl } from '#libs/config';
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';
import type { MoveSide, TenantMoveOptions } from '../src';
import { directoryOf } from './directory';

export interface TwoShards {
  readonly home: TestEnvironment;
  readonly two: TestEnvironment;
  readonly sides: { readonly main: MoveSide; readonly two: MoveSide };
  dispose(): Promise<void>;
}

export async function createTwoShards(): Promise<TwoShards> {
  const [home, two] = await Promise.all([createTestEnvironment(), createTestEnvironment()]);
  await home.query('create table saved_moves (tenant uuid primary key, state jsonb not null)');
  return {
    home,
    two,
    sides: {
      main: { shard: 'main', moverUrl: () => roleUrl(home.config, 'mover') },
      two: { shard: 'two', moverUrl: () => roleUrl(two.config, 'mover') },
    },
    dispose: async () => {
      await Promise.all([home.dispose(), two.dispose()]);
    },
  };
}

export function moveOptions(
  shards: TwoShards,
  organizationId: string,
  from: 'main' | 'two' = 'main',
): TenantMoveOptions {
  return {
    organizationId,
    source: shards.sides[from],
    target: shards.sides[from === 'main' ? 'two' : 'main'],
    directory: directoryOf(roleUrl(shards.home.config, 'control'), organizationId),
    graceMs: 0,
    pageRows: 20,
    deleteRows: 50,
  };
}

/** Everything of a tenant in one shard: for each table its rows as text, sorted. As superuser, so through no wall. */
export async function contentOf(environment: TestEnvironment, organizationId: string): Promise<Map<string, string[]>> {
  const tables = await environment.query<{ name: string }>('select moved::text as name from moved_tables() moved');
  const content = new Map(tables.map(({ name }): [string, string[]] => [name, []]));
  const rows = await environment.query<{ name: string; row: string }>(
    `${tables.map(({ name }) => `select '${name}' as name, t::text as row from ${name} t where organization_id = $1`).join(' union all ')} order by 1, 2`,
    [organizationId],
  );
  for (const { name, row } of rows) content.get(name)!.push(row);
  return content;
}

export const rowCount = (content: Map<string, string[]>) =>
  [...content.values()].reduce((sum, rows) => sum + rows.length, 0);

/** What a move may leave behind nowhere: slots, publications, rows that say how far it was. */
export async function remains(shards: TwoShards, organizationId: string): Promise<string[]> {
  const found: string[] = [];
  for (const environment of [shards.home, shards.two]) {
    const rows = await environment.query<{ what: string }>(
      `select 'slot ' || slot_name as what from pg_replication_slots
         where database = current_database() and slot_name like tenant_publication($1) || '%'
       union all select 'publication ' || pubname from pg_publication where pubname = tenant_publication($1)
       union all select 'arrival ' || tenant from tenant_moves where tenant = $1`,
      [organizationId],
    );
    found.push(...rows.map(({ what }) => what));
  }
  return found;
}
