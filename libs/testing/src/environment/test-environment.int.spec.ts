import { THROUGH_POOLERS } from '../jest/test-servers';
import { createOrganization } from './organization.builder';
import { createTestEnvironment, type TestEnvironment } from './test-environment';

const migrated = "select count(*)::int as tables from pg_class where relname = 'tenant_places'";

describe('an environment with two shards', () => {
  let env: TestEnvironment;

  beforeAll(async () => {
    env = await createTestEnvironment({ DATABASE_POOL_SIZE: '3' }, { shards: 2 });
  });
  afterAll(() => env.dispose());

  it('has a migrated database for each, and a configuration that names both', async () => {
    expect(env.config.shards.map(({ name, replicas }) => [name, replicas.length])).toEqual([
      ['main', 1],
      ['two', 1],
    ]);
    for (const shard of env.shards) expect(await shard.query(migrated)).toEqual([{ tables: 1 }]);
    expect(new Set(env.shards.map(({ adminUrl }) => adminUrl)).size).toBe(2);
    expect(env.config.DATABASE_POOL_SIZE).toBe(3);
  });

  it('leads processes through the pooler where the project has one, and the specs’ own statements past it', () => {
    const pooled = process.env[THROUGH_POOLERS] === 'yes';
    const ports = [...env.config.shards[0]!.hosts, env.adminUrl].map((url) => new URL(url).port);
    expect(new Set(ports).size).toBe(pooled ? 2 : 1);
    expect(env.config.DATABASE_PREPARED_STATEMENTS).toBe(pooled ? 'off' : 'on');
  });

  it('keeps them apart, and puts an organization where it is pinned', async () => {
    const here = await createOrganization(env);
    const there = await createOrganization(env, { shard: 'two' });
    const places = env.shards.map((shard) => shard.query('select tenant from tenant_places'));
    expect(await Promise.all(places)).toEqual([[{ tenant: here.id }], [{ tenant: there.id }]]);
    expect(await env.query('select id, shard from organizations order by shard')).toEqual([
      { id: there.id, shard: 'two' },
      { id: here.id, shard: null },
    ]);
    await expect(createOrganization(env, { shard: 'three' })).rejects.toThrow('no shard "three"');
  });

  it('has the databases on the replica too', async () => {
    for (const { hosts, replicas } of env.config.shards) {
      for (const url of [...hosts, ...replicas]) {
        const client = await env.connectAs('monitor', url);
        const { rows } = await client.query(migrated);
        expect(rows).toEqual([{ tables: 1 }]);
        await client.end();
      }
    }
  });
});
