import { loadConfig } from '#libs/config';
import { TenantDatabase, tenantStatement } from '#libs/database';
import { newId } from '#libs/kernel';
import { createOrganization, createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { type WorkerUnderTest, workerUnderTest } from '../../test/worker-under-test';
import { applyOnce, UpkeepService, UpkeepTasks } from '..';

const addLocation = tenantStatement(
  'test_add_location',
  'insert into locations (organization_id, id, code, name) values ($1, $2, $3, $3)',
);

describe('Upkeep and inbox', () => {
  let env: TestEnvironment;
  let workers: WorkerUnderTest[];
  let organization: string;

  const count = async (sql: string) => (await env.query<{ n: number }>(`select count(*)::int as n from ${sql}`))[0]!.n;

  beforeAll(async () => {
    env = await createTestEnvironment();
    organization = (await createOrganization(env)).id;
    const open = () => workerUnderTest({ config: env.config, jobs: [], handlers: [] });
    workers = [await open(), await open()];
  });
  afterAll(async () => {
    for (const worker of workers) await worker.close();
    await env.dispose();
  });

  it('applies a message once, however often and from however many consumers it comes', async () => {
    const [worker] = workers;
    const messageId = newId();
    const apply = (consumer: string) =>
      worker!.asTenant(organization, () =>
        applyOnce(worker!.app.get(TenantDatabase), { consumer, messageId }, [addLocation(newId(), newId())]),
      );
    const applied = await Promise.all(Array.from({ length: 10 }, () => apply('one')));
    expect(applied.filter(Boolean)).toHaveLength(1);
    expect(await apply('two')).toBe(true);
    expect(await count("locations where code <> 'MAIN'")).toBe(2);
  });

  it('leaves nothing in the inbox when the effect fails', async () => {
    const [worker] = workers;
    const database = worker!.app.get(TenantDatabase);
    const message = { consumer: 'one', messageId: newId() };
    const apply = (code: string) =>
      worker!.asTenant(organization, () => applyOnce(database, message, [addLocation(newId(), code)]));
    await expect(apply('MAIN')).rejects.toThrow('locations_organization_id_code_key');
    expect(await apply('free')).toBe(true);
  });

  it('lets one of two workers make partitions and clean up, for every tenant', async () => {
    const { id: second } = await createOrganization(env);
    for (const id of [organization, second]) {
      await env.query(
        `insert into idempotency_keys (organization_id, key, fingerprint, status, body, expires_at)
         select $1, 'k' || n, 'f', 200, '{}', now() + make_interval(hours => 24 - n) from generate_series(1, 2600) n`,
        [id],
      );
      await env.query(
        `insert into inbox (organization_id, consumer, message_id, processed_at)
         select $1, 'old', gen_random_uuid(), now() - interval '31 days' from generate_series(1, 5)`,
        [id],
      );
    }
    await env.query("select make_month_partition('outbox', '2099-01-01')"); // some other month is no hindrance
    const [{ name }] = (await env.query<{ name: string }>(
      "select max(relname) as name from pg_class where relname like 'stock\\_movements\\_20%' and relkind = 'r'",
    )) as [{ name: string }];
    await env.query(`drop table ${name}`);

    await env.query(
      "select make_month_partition(t, '2020-01-01') from unnest('{outbox,audit_log,tenant_usage,tenant_hours,tenant_minutes,stock_movements}'::regclass[]) t",
    );
    await env.query("insert into usage_writers values ($1, $2, 1, now() - interval '31 days'), ($1, $3, 1, now())", [
      organization,
      newId(),
      newId(),
    ]);
    const visited: string[] = [];
    for (const worker of workers) {
      worker.app
        .get(UpkeepTasks)
        .add({ name: 'breaks', run: () => Promise.reject(new Error('does not stop the rest')) });
      worker.app.get(UpkeepTasks).add({ name: 'looks', run: async ({ id }) => void visited.push(id) });
    }
    await Promise.all(workers.map((worker) => worker.app.get(UpkeepService).tick()));

    expect(visited.sort()).toEqual([organization, second].sort());
    expect(await count(`pg_class where relname = '${name}'`)).toBe(1);
    expect(await count("pg_class where relkind = 'r' and relname like '%\\_202001%'")).toBe(1); // stock_movements
    expect(await count('usage_writers')).toBe(1);
    expect(await count('idempotency_keys')).toBe(2 * 23);
    expect(await count("inbox where consumer = 'old'")).toBe(0);
  });

  it('visits no organization of another region that is in the same directory', async () => {
    const regions = { eu: 'https://eu.example.com', us: 'https://us.example.com' };
    const two = { url: 'postgres://127.0.0.1:1/nowhere', region: 'us' };
    const config = loadConfig({
      ...env.variables,
      REGION: 'eu',
      REGIONS: JSON.stringify(regions),
      REGIONS_SECRET: 'a-secret-that-all-regions-share-12',
      REDIS_KEY_PREFIX: `${env.config.REDIS_KEY_PREFIX}_eu`,
      DATABASE_SHARDS: JSON.stringify({ two }),
    });
    const american = newId();
    await env.query(
      "insert into organizations (id, slug, name, tier, region, shard) values ($1, $2, 'A', 'free', 'us', 'two')",
      [american, `org-${american}`],
    );
    const worker = await workerUnderTest({ config, jobs: [], handlers: [] });
    const visited: string[] = [];
    try {
      worker.app.get(UpkeepTasks).add({ name: 'looks', run: async ({ id }) => void visited.push(id) });
      await worker.app.get(UpkeepService).tick();
    } finally {
      await worker.close();
    }
    expect(visited).toContain(organization);
    expect(visited).not.toContain(american);
  });
});
