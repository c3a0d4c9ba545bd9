import { type INestApplicationContext, Logger } from '@nestjs/common';
import { newId } from '#libs/kernel';
import { asTenant, createOrganization, createTestEnvironment, type TestEnvironment } from '#libs/testing';
import { meteringProcess } from '../test/usage-process';
import { UsageMeter, UsageRepository } from '.';

const HOUR_MS = 3_600_000;

describe('usage in the database', () => {
  let env: TestEnvironment;
  const apps: INestApplicationContext[] = [];

  const start = async (): Promise<INestApplicationContext> => {
    const app = await meteringProcess({ ...env.config, USAGE_FLUSH_MS: 60_000 });
    apps.push(app);
    return app;
  };

  const stored = async (organizationId: string) =>
    (
      await env.query<{ metric: string; value: string }>(
        'select metric, sum(value) as value from tenant_usage where organization_id = $1 group by metric order by metric',
        [organizationId],
      )
    ).map(({ metric, value }) => [metric, Number(value)]);

  beforeAll(async () => {
    env = await createTestEnvironment();
  });

  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()));
    Logger.overrideLogger(true);
  });

  afterAll(async () => {
    await env.dispose();
  });

  it('adds what several processes count at the same time, exactly', async () => {
    const organizations = await Promise.all([createOrganization(env), createOrganization(env)]);
    const meters = (await Promise.all([start(), start(), start()])).map((app) => app.get(UsageMeter));
    for (let round = 0; round < 10; round += 1) {
      for (const meter of meters) {
        for (const { id } of organizations) {
          meter.count(id, 'api_calls', 3);
          meter.count(id, 'job_milliseconds', 7);
        }
      }
      await Promise.all(meters.map((meter) => meter.flush()));
    }
    for (const { id } of organizations) {
      await expect(stored(id)).resolves.toEqual([
        ['api_calls', 90],
        ['job_milliseconds', 210],
      ]);
    }
  });

  it('loses and doubles nothing when a flush fails in between', async () => {
    const organization = await createOrganization(env);
    const meter = (await start()).get(UsageMeter);
    meter.count(organization.id, 'api_calls', 2);
    await meter.flush();
    await env.query('alter table tenant_usage rename to tenant_usage_gone');
    meter.count(organization.id, 'api_calls', 3);
    await meter.flush();
    await env.query('alter table tenant_usage_gone rename to tenant_usage');
    meter.count(organization.id, 'api_calls', 4);
    await meter.flush();
    await expect(stored(organization.id)).resolves.toEqual([['api_calls', 9]]);
  });

  it('is written of an organization that is suspended: it may read, and reading is charged', async () => {
    const { id } = await createOrganization(env);
    await env.query("update tenant_places set state = 'suspended' where tenant = $1", [id]);
    await env.query("update organizations set state = 'suspended' where id = $1", [id]);
    const meter = (await start()).get(UsageMeter);
    meter.count(id, 'api_calls', 2);
    meter.called(id, 'GET /v1/a');
    await meter.flush();
    await expect(stored(id)).resolves.toEqual([['api_calls', 3]]);
    const days = 'select calls from tenant_days where organization_id = $1 order by activity';
    await expect(env.query(days, [id])).resolves.toEqual([{ calls: '1' }, { calls: '1' }]);
  });

  it('is written when the process ends', async () => {
    const organization = await createOrganization(env);
    const app = await start();
    app.get(UsageMeter).count(organization.id, 'api_calls', 5);
    await app.close();
    apps.splice(0);
    await expect(stored(organization.id)).resolves.toEqual([['api_calls', 5]]);
  });

  it('sums the hours that begin in the period, of the current tenant alone', async () => {
    const [one, other] = await Promise.all([createOrganization(env), createOrganization(env)]);
    const app = await start();
    const hour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    const at = (hours: number) => new Date(hour + hours * HOUR_MS);
    const repository = app.get(UsageRepository);
    const batch = (increments: readonly [metric: string, hours: number, value: number][]) => ({
      writer: newId(),
      number: 1,
      activity: [],
      increments: increments.map(([metric, hours, value]) => ({ metric, periodStart: at(hours), value })),
    });
    const calls = [-1, 0, 1].map((hours): [string, number, number] => ['api_calls', hours, 10 ** (hours + 1)]);
    await asTenant(app, one, () => repository.apply(batch(calls)));
    await asTenant(app, other, () => repository.apply(batch([['api_calls', 0, 5_000]])));
    await expect(asTenant(app, one, () => repository.totals(at(-1), at(1)))).resolves.toEqual([
      { metric: 'api_calls', value: 11 },
    ]);
    await expect(asTenant(app, one, () => repository.totals(at(2), at(3)))).resolves.toEqual([]);
  });

  it('tells of a level the newest value before the end of the period, and does not sum it', async () => {
    const organization = await createOrganization(env);
    const app = await start();
    const at = (hour: number) => new Date(Date.UTC(2026, 10, 1, hour));
    for (const [hour, value] of [
      [1, 700],
      [3, 200],
      [9, 900],
    ] as const) {
      await env.query("insert into tenant_usage values ($1, 'bytes_stored', $2, $3)", [
        organization.id,
        at(hour),
        value,
      ]);
    }
    const level = (from: number, to: number) =>
      asTenant(app, organization, () => app.get(UsageRepository).totals(at(from), at(to)));
    await expect(level(0, 4)).resolves.toEqual([{ metric: 'bytes_stored', value: 200 }]);
    await expect(level(5, 8)).resolves.toEqual([{ metric: 'bytes_stored', value: 200 }]);
    await expect(level(0, 24)).resolves.toEqual([{ metric: 'bytes_stored', value: 900 }]);
    await expect(level(0, 1)).resolves.toEqual([]);
  });
});
