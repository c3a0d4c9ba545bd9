/** Two shards, one of which, or the directory, has gone back in time: what is found, what is repaired, and that it holds. */
import { createOrganization, createTestEnvironment, type TestEnvironment } from '#libs/testing';
import type { Client } from 'pg';
import { createTenant, startApi } from '../../apps/api/test/support/api-fixture';
import { findDifferences, repair } from './places';
import { shardClients } from './shard-clients';

interface Place {
  readonly shard: string;
  readonly epoch: number;
  readonly state: string;
}

describe('directory and places', () => {
  let env: TestEnvironment;
  let clients: ReadonlyMap<string, Client>;
  let organization: string;

  beforeAll(async () => {
    env = await createTestEnvironment({}, { shards: 2 });
    clients = await shardClients(env.config);
  });
  beforeEach(async () => {
    ({ id: organization } = await createOrganization(env));
    await env.query('update organizations set shard = $2, epoch = 5 where id = $1', [organization, 'main']);
    await place('main', 5, 'open');
  });
  afterEach(async () => {
    await env.query('delete from organizations where id = $1', [organization]);
    for (const shard of env.shards) await shard.query('delete from tenant_places where tenant = $1', [organization]);
  });
  afterAll(async () => {
    await Promise.all([...clients.values()].map((client) => client.end()));
    await env.dispose();
  });

  const shardOf = (name: string) => env.shards.find((shard) => shard.name === name)!;
  async function place(shard: string, epoch: number, state: string): Promise<void> {
    await shardOf(shard).query(
      `insert into tenant_places (tenant, epoch, state, tier) values ($1, $2, $3, 'free')
       on conflict (tenant) do update set epoch = excluded.epoch, state = excluded.state`,
      [organization, epoch, state],
    );
  }
  const directory = (change: string) => env.query(`update organizations set ${change} where id = $1`, [organization]);
  const found = async () => (await findDifferences(clients)).map(({ what }) => what);
  async function afterRepair() {
    for (const difference of await findDifferences(clients)) await repair(clients, difference);
    const [entry] = await env.query<{ shard: string; epoch: number }>(
      'select shard, epoch from organizations where id = $1',
      [organization],
    );
    const places: Place[] = [];
    for (const shard of env.shards) {
      const sql = 'select epoch, state from tenant_places where tenant = $1';
      const rows = await shard.query<Omit<Place, 'shard'>>(sql, [organization]);
      places.push(...rows.map((row) => ({ shard: shard.name, ...row })));
    }
    return { entry, places, left: await found() };
  }

  it('agree after every operation: one place that is open, those of the past', async () => {
    await place('two', 4, 'moved');
    expect(await found()).toEqual([]);
  });

  it('a shard that went back: one new epoch for both', async () => {
    await place('main', 3, 'open');
    expect(await found()).toEqual(['has epoch 5 in the directory and 3 on main']);
    expect(await afterRepair()).toEqual({
      entry: { shard: 'main', epoch: 6 },
      places: [{ shard: 'main', epoch: 6, state: 'open' }],
      left: [],
    });
  });

  it('a directory that went back to before a suspension takes it back; one that knows of it has its way', async () => {
    await place('main', 6, 'suspended');
    expect((await afterRepair()).places).toEqual([{ shard: 'main', epoch: 7, state: 'open' }]);
    await directory("state = 'suspended'");
    expect(await found()).toEqual(['is suspended in the directory and open on main']);
    expect((await afterRepair()).places).toEqual([{ shard: 'main', epoch: 8, state: 'suspended' }]);
  });

  it('a directory that went back to before a move: follows the tenant', async () => {
    await place('main', 6, 'moved');
    await place('two', 6, 'open');
    expect(await found()).toEqual(['lives on two, of which the directory does not know']);
    expect(await afterRepair()).toEqual({
      entry: { shard: 'two', epoch: 7 },
      places: [
        { shard: 'main', epoch: 7, state: 'moved' },
        { shard: 'two', epoch: 7, state: 'open' },
      ],
      left: [],
    });
  });

  it('the source of a move that went back: what it has is of the past', async () => {
    await place('two', 4, 'open');
    expect(await found()).toEqual(['has an older place on two too']);
    expect((await afterRepair()).places).toEqual([
      { shard: 'main', epoch: 6, state: 'open' },
      { shard: 'two', epoch: 6, state: 'moved' },
    ]);
  });

  it('the target of a move that went back is left to a person: only the older state is there', async () => {
    await shardOf('main').query('delete from tenant_places where tenant = $1', [organization]);
    await place('two', 4, 'open');
    const what = 'lives on main by the directory, which has no place for it; two has an older state of it';
    expect(await found()).toEqual([what]);
    expect(await afterRepair()).toMatchObject({ entry: { shard: 'main', epoch: 5 }, left: [what] });
  });

  it('what one side alone has is left to a person too', async () => {
    await shardOf('main').query('delete from tenant_places where tenant = $1', [organization]);
    expect(await found()).toEqual(['lives on main by the directory, and no shard has it']);
    await place('main', 5, 'open');
    await env.query('delete from organizations where id = $1', [organization]);
    expect(await found()).toEqual(['lives on main, and the directory does not have it']);
  });

  it('leaves alone what an operation is at work on', async () => {
    await place('two', 6, 'arriving');
    expect(await found()).toEqual([expect.stringContaining('an operation is under way')]);
    expect((await afterRepair()).entry).toEqual({ shard: 'main', epoch: 5 });
  });

  it('a tenant whose shard went back takes no write, and works as before once it is repaired', async () => {
    const api = await startApi(env);
    try {
      const tenant = await createTenant(api, env);
      const write = (sku: string) =>
        tenant.call(api, 'POST', '/v1/products', { body: { sku, name: sku, price_minor: 1, currency: 'EUR' } });
      const [kept] = await env.query<{ shard: string }>(
        'select b.shard from organizations o join shard_buckets b on b.bucket = o.shard_key where o.id = $1',
        [tenant.id],
      );
      expect((await write('A')).status).toBe(201);
      await shardOf(kept!.shard).query('update tenant_places set epoch = 0 where tenant = $1', [tenant.id]);
      expect((await write('B')).status).toBe(503);
      for (const difference of await findDifferences(clients)) await repair(clients, difference);
      expect((await write('B')).status).toBe(201);
    } finally {
      await api.stop();
    }
  });
});
