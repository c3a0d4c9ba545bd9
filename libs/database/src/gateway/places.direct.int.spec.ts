/**
 * Two processes that hear of nothing, two shards: a tenant changes its place while both serve it, as a mover would change
 * it; and what happens while the database of the directory is away, or a shard whose wall nobody has proven yet.
 */
import { Test, type TestingModule } from '@nestjs/testing';
import { ConfigModule, loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { ConsistencyScope, type TenantContext, TenancyModule, TenantContextHolder } from '#libs/tenancy';
import {
  asTenant,
  createOrganization,
  createTestCluster,
  freePort,
  type TestCluster,
  type TestClusterShard,
  type TestOrganization,
  waitFor,
  Way,
} from '#libs/testing';
import { DatabaseModule } from '../database.module';
import { tenantRead, tenantStatement } from '../lanes/statement';
import { TenantDatabase } from '../tenant-database';

const TIMEOUT_MS = 120_000;
const WRITERS = 200;

const insert = tenantStatement(
  'places_insert',
  'insert into locations (organization_id, id, code, name) values ($1, $2, $3, $3)',
);
const codes = tenantRead('places_codes', 'select code from locations where organization_id = $1');

const codeOf = (error: unknown) => (error as { code: string }).code;

describe('the place of a tenant', () => {
  let cluster: TestCluster;
  let home: TestClusterShard;
  let two: TestClusterShard;
  let apps: TestingModule[];

  const open = async (variables: Readonly<Record<string, string>>) => {
    const config = loadConfig({ ...cluster.variables, ...variables });
    const app = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(config),
        TenancyModule,
        DatabaseModule.forRoot({ config, applicationName: 'spec' }),
      ],
    }).compile();
    return app.init();
  };

  const write = (app: TestingModule, tenant: TestOrganization, code = newId().slice(-12)) =>
    asTenant(app, tenant, async () => {
      await app.get(TenantDatabase).statement(insert(newId(), code));
      return code;
    });

  const read = (app: TestingModule, tenant: TestOrganization) =>
    asTenant(app, tenant, async () => {
      const rows = await app.get(TenantDatabase).statement<{ code: string }>(codes());
      return rows.map(({ code }) => code);
    });

  const inTwo = () => createOrganization(cluster, { shard: 'two' });

  /** The last second of a move: fence, drain, copy, open there, flip the directory, close here. Nobody is told. */
  const move = async ({ id }: TestOrganization, from: TestClusterShard, to: TestClusterShard) => {
    await from.query("update tenant_places set state = 'fenced' where tenant = $1", [id]);
    await from.query('select drain_writers($1)', [id]);
    const rows = 'select coalesce(jsonb_agg(to_jsonb(l)), $2) as rows from locations l where organization_id = $1';
    const [copy] = await from.query<{ rows: unknown[] }>(rows, [id, '[]']);
    await to.query('insert into locations select * from jsonb_populate_recordset(null::locations, $1)', [
      JSON.stringify(copy!.rows),
    ]);
    const place = `insert into tenant_places select $1, epoch + 1, 'open', tier from jsonb_to_record($2) as t (epoch int, tier text)`;
    const [here] = await from.query<{ epoch: number }>('select epoch, tier from tenant_places where tenant = $1', [id]);
    await to.query(place, [id, JSON.stringify(here)]);
    const flip = 'update organizations set shard = $2, epoch = epoch + 1, version = version + 1 where id = $1';
    await cluster.query(flip, [id, to.name]);
    await from.query("update tenant_places set state = 'moved', epoch = epoch + 1 where tenant = $1", [id]);
  };

  beforeAll(async () => {
    cluster = await createTestCluster({ standbys: 0, shards: 2 });
    [home, two] = cluster.shards as [TestClusterShard, TestClusterShard];
    apps = [await open({}), await open({})];
  }, TIMEOUT_MS);

  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await cluster.dispose();
  }, TIMEOUT_MS);

  it(
    'changes under load: no write fails, is lost or done twice, none is done at the old place, and reads go on',
    async () => {
      const tenant = await createOrganization(cluster);
      const acknowledged: string[] = [];
      let [going, reads] = [true, 0];
      const writing = Array.from({ length: WRITERS }, async (_, index) => {
        while (going) acknowledged.push(await write(apps[index % 2]!, tenant));
      });
      const reading = apps.map(async (app) => {
        for (; going; reads += 1) await read(app, tenant);
      });
      const more = async (count: number) => {
        const [from, readsFrom] = [acknowledged.length, reads];
        const enough = () => acknowledged.length >= from + count && reads > readsFrom;
        await waitFor(enough, { what: 'writers and readers to go on', timeoutMs: TIMEOUT_MS, intervalMs: 5 });
      };
      await more(1_000);
      await move(tenant, home, two);
      await more(1_000);
      going = false;
      await Promise.all([...writing, ...reading]);
      const list = 'select code from locations where organization_id = $1 and not is_default';
      const there = (await two.query<{ code: string }>(list, [tenant.id])).map(({ code }) => code);
      expect(there.sort()).toEqual(acknowledged.sort());
      const left = await home.query<{ code: string }>(list, [tenant.id]);
      expect(left.length).toBeLessThan(there.length - 999);
      expect(left.filter(({ code }) => !there.includes(code))).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it('is looked up anew for a reader who has seen the new one, in a process that has not heard of it', async () => {
    const tenant = await createOrganization(cluster);
    await Promise.all(apps.map((app) => read(app, tenant)));
    await move(tenant, home, two);
    const context = (consistency: ConsistencyScope): TenantContext => ({
      organizationId: tenant.id,
      ...{ actor: { type: 'system', id: null }, permissions: new Set(), requestId: newId() },
      consistency,
    });
    const run = <T>(app: TestingModule, scope: ConsistencyScope, work: (database: TenantDatabase) => Promise<T>) =>
      app.get(TenantContextHolder).run(context(scope), () => work(app.get(TenantDatabase)));
    const writers = new ConsistencyScope();
    await run(apps[0]!, writers, (database) => database.statement(insert(newId(), 'NEW')));
    const readers = new ConsistencyScope(writers.newest);
    const rows = await run(apps[1]!, readers, (database) => database.statement<{ code: string }>(codes()));
    expect(rows.map(({ code }) => code)).toContain('NEW');
  });

  it.each(['arriving', 'fenced', 'deleting'])(
    'lets nobody write while it is %s, for as long as a request waits',
    async (state) => {
      const tenant = await inTwo();
      await two.query('update tenant_places set state = $2 where tenant = $1', [tenant.id, state]);
      const refused = await Promise.allSettled(apps.map((app) => write(app, tenant)));
      const reason = { code: 'organization_moving', category: 'unavailable', retryAfterSeconds: 1 };
      expect(refused).toEqual(
        apps.map(() => ({ status: 'rejected', reason: expect.objectContaining(reason) as unknown })),
      );
    },
  );

  it(
    'is asked itself while the directory’s database is away, and what it says counts',
    async () => {
      const [staying, gone] = [await inTwo(), await inTwo()];
      const way = new Way(home.adminUrl);
      await way.open();
      const app = await open({ DATABASE_URL: way.url });
      try {
        await Promise.all([read(app, staying), read(app, gone)]);
        await way.cut();
        await two.query("update tenant_places set state = 'moved', epoch = 2 where tenant = $1", [gone.id]);
        // While the entries are fresh, reads need not look; afterwards each looks at the place.
        const refused = async () => read(app, gone).then(() => false, codeOf);
        expect(await waitFor(refused, { what: 'the entry to age', timeoutMs: 20_000 })).toBe('organization_moving');
        expect(await read(app, staying)).toEqual(['MAIN']);
        await write(app, staying, 'WRITTEN');
        expect(await read(app, staying)).toContain('WRITTEN');
      } finally {
        await app.close();
        await way.cut();
      }
    },
    TIMEOUT_MS,
  );

  it(
    'is not served by a shard that was away at boot until its wall is proven',
    async () => {
      const tenant = await inTwo();
      const way = new Way(two.adminUrl);
      await way.open();
      await way.cut();
      const url = way.url;
      const app = await open({ DATABASE_SHARDS: JSON.stringify({ two: { url } }), API_PORT: String(await freePort()) });
      try {
        await expect(read(app, tenant)).rejects.toMatchObject({ code: 'database_unavailable' });
        await two.query('alter table locations no force row level security');
        await way.open();
        const refused = async () =>
          read(app, tenant).then(
            () => '',
            (error: unknown) => codeOf(error) !== 'database_unavailable' && codeOf(error),
          );
        expect(await waitFor(refused, { what: 'the shard to be back' })).toBe('tenant_wall_broken');
        await two.query('alter table locations force row level security');
        expect(await read(app, tenant)).toEqual(['MAIN']);
      } finally {
        await app.close();
        await way.cut();
      }
    },
    TIMEOUT_MS,
  );
});
