import type { SchemaGuard } from '../migrate/schema-guard.service';
import type { Shard } from '../shards/shard';
import type { Shards } from '../shards/shards.service';
import { WallGuard } from './wall-guard.service';

const SHARD = { name: 'main' } as Shard;

/** A guard in front of catalogs that answer `problems` at so many looks, and nothing from then on. */
function guardWith(looks: number): WallGuard {
  const query = (sql: string) => {
    if (sql.includes('current_user as name')) return Promise.resolve({ rows: [{ name: 'stockyard_app' }] });
    const found = sql.includes('has no tenant policy') && (looks -= 1) >= 0;
    return Promise.resolve({ rows: found ? [{ subject: 'outbox_202610', problem: 'has no tenant policy' }] : [] });
  };
  const shards = { pool: () => ({ query }) } as unknown as Shards;
  return new WallGuard(shards, { prove: () => Promise.resolve() } as unknown as SchemaGuard);
}

describe('the guard of the wall', () => {
  it('looks again before it refuses, for a partition that is being dropped', async () => {
    const guard = guardWith(1);
    await guard.prove(SHARD);
    expect(guard.stands(SHARD)).toBe(true);
  });

  it('refuses what is still wrong then', async () => {
    const guard = guardWith(2);
    await expect(guard.prove(SHARD)).rejects.toMatchObject({
      code: 'tenant_wall_broken',
      message: expect.stringContaining('outbox_202610: has no tenant policy') as string,
    });
    expect(guard.stands(SHARD)).toBe(false);
  });
});
