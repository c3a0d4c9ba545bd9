/**
 * Two `metrics` processes for availability, beside apis and a worker under load: the same answers, nothing twice, and nothing lost
 * with one of them. Every sum against what the clients counted themselves.
 */
import type { ClusterSnapshot, UsageSummary } from '#libs/messaging';
import { createTestEnvironment, type TestEnvironment, waitFor, Way } from '#libs/testing';
import type { AutoscalingReport } from '../../metrics/src/autoscaling/autoscaling.service';
import { createTenant, type Tenant } from './support/api-fixture';
import { CountingClients, FAILING } from './support/counting-clients';
import { ObservedProcess } from './support/observed-process';

const TABLES = ['tenant_minutes', 'tenant_hours', 'tenant_days'];
/** Columns of activity that are metrics of `tenant_usage` too. */
const METRICS = ['job_ms', 'rows_read', 'rows_written', 'bytes_out', 'cache_bytes'];
const METRIC_OF: Readonly<Record<string, string>> = { job_ms: 'job_milliseconds' };
/** Of the cluster; the others tell of the process that is scraped, or change by being looked at. */
const FIGURES =
  /^stockyard_(tenant_hour_|organizations|queue_jobs|dead_letters|outbox_waiting|partition_|connection_b)/;

/** What a tenant did, by one of the tables. */
interface Sums {
  readonly calls: number;
  readonly errors: number;
  readonly refusals: number;
  readonly runs: number;
}

describe('two metrics processes', () => {
  let env: TestEnvironment;
  let variables: Record<string, string>;
  const ways: Way[] = [];
  let [first, second, worker]: ObservedProcess[] = [];
  let metrics: ObservedProcess[] = [];
  const running = new Set<ObservedProcess>();
  let all: CountingClients[] = [];

  const start = async (name: 'api' | 'worker' | 'metrics', more: Readonly<Record<string, string>> = {}) => {
    const started = await ObservedProcess.start(name, { ...variables, ...more });
    running.add(started);
    return started;
  };
  const ends = async (one: ObservedProcess, how: 'stop' | 'kill') => {
    running.delete(one);
    await one[how]();
  };

  beforeAll(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '50', USAGE_FLUSH_MS: '300', METRICS_COLLECT_MS: '200' });
    variables = { ...env.variables, SHUTDOWN_GRACE_MS: '5000' };
    await env.query(
      `create function fail() returns trigger language plpgsql as $$ begin raise exception 'told to fail'; end $$`,
    );
    await env.query(
      `create trigger fail before insert on products for each row when (new.name = '${FAILING}') execute function fail()`,
    );
    for (const url of [env.variables.DATABASE_URL!, env.variables.DATABASE_REPLICA_URLS!]) ways.push(new Way(url));
    await Promise.all(ways.map((way) => way.open()));
    const apart = { DATABASE_URL: ways[0]!.url, DATABASE_REPLICA_URLS: ways[1]!.url };
    [first, second, worker, ...metrics] = await Promise.all([
      ...[start('api'), start('api'), start('worker')],
      ...[start('metrics'), start('metrics', apart)],
    ]);
    const limited = { requests_per_minute: 40 };
    const tenants = [
      createTenant(first!, env),
      createTenant(first!, env),
      createTenant(first!, env, 'starter', limited),
    ];
    all = (await Promise.all(tenants)).map((tenant: Tenant) => new CountingClients(tenant));
  });

  afterAll(async () => {
    for (const one of metrics) if (running.has(one)) one.goOn();
    await Promise.all([...running].map((one) => one.kill()));
    await Promise.all(ways.map((way) => way.cut()));
    await env.dispose();
  });

  const answers = () => all.reduce((sum, { calls, refusals }) => sum + calls + refusals, 0);
  const goesOn = (more: number) => {
    const wanted = answers() + more;
    return waitFor(() => answers() >= wanted, { what: 'the load to go on', timeoutMs: 30_000 });
  };
  const surprises = () => all.flatMap((one) => one.surprises);

  /** By minutes, hours, days and `tenant_usage`: what the tenant did, and the metrics that stand in all of them. */
  const stored = async ({ id }: Tenant) => {
    const select = (table: string, columns: string) =>
      `(select json_build_object(${columns}) from ${table} where organization_id = $1)`;
    const summed = (name: string, what: string) => `'${name}', coalesce(sum(${what}), 0)`;
    const whole = (name: string) => summed(name, `${name}) filter (where activity = ''`);
    const activity = [
      summed('calls', "calls) filter (where activity <> '' and activity not like 'job %'"),
      summed('runs', "calls) filter (where activity like 'job %'"),
      ...['errors', 'refusals', ...METRICS].map(whole),
      `'whole', coalesce(sum(calls) filter (where activity = ''), 0)`,
    ];
    const metric = (name: string, is: string) => summed(name, `value) filter (where metric ${is}`);
    const usage = [
      metric('calls', "= 'api_calls'"),
      metric('refusals', "like 'rate_limit_exceeded_%' or metric = 'requests_shed'"),
      ...METRICS.map((name) => metric(name, `= '${METRIC_OF[name] ?? name}'`)),
    ];
    const parts = [...TABLES.map((table) => select(table, activity.join())), select('tenant_usage', usage.join())];
    const [row] = await env.query<{ parts: Record<string, number>[] }>(`select array[${parts.join()}] as parts`, [id]);
    return row!.parts;
  };

  /** Each activity table says the same, and `tenant_usage` as much of it as it knows. */
  const agreed = async (tenant: Tenant): Promise<Sums> => {
    const [minutes, hours, days, usage] = await stored(tenant);
    expect([hours, days]).toEqual([minutes, minutes]);
    expect(minutes).toMatchObject(usage!);
    expect(minutes!.whole).toBe(minutes!.calls);
    const { calls, errors, refusals, runs } = minutes as unknown as Sums;
    return { calls, errors, refusals, runs };
  };
  const counted = ({ calls, errors, refusals, exports: runs }: CountingClients): Sums => ({
    ...{ calls, errors, refusals, runs },
  });
  const settle = () =>
    waitFor(
      async () => {
        for (const one of all) expect(await agreed(one.tenant)).toEqual(counted(one));
        return true;
      },
      { what: 'the sums to be those of the clients', timeoutMs: 15_000 },
    );

  it('lose no rollup when one is killed under load, and nobody else’s when an api leaves', async () => {
    for (const one of all) for (const api of [first!, second!]) one.start(api, 1);
    await goesOn(60);
    await ends(metrics[0]!, 'kill');
    await goesOn(60);
    metrics[0] = await start('metrics');
    await goesOn(60);
    await ends(second!, 'stop');
    await goesOn(20);
    await Promise.all(all.map((one) => one.stop()));
    expect(surprises()).toEqual([]);
    expect(all.map(({ unanswered }) => unanswered)).toEqual([1, 1, 1]); // the clients of the api that left
    await settle();
    for (const one of all.slice(0, 2)) {
      expect(Math.min(one.errors, one.exports)).toBeGreaterThan(0);
    }
    expect(all[2]!.refusals).toBeGreaterThan(0);
  });

  const page = async ({ url }: ObservedProcess, path: string) => {
    const response = await fetch(url + path, { headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` } });
    return response.text();
  };

  it('show the same figures of tenants and of the cluster, each once', async () => {
    await waitFor(
      async () => {
        const [one, other] = await Promise.all(metrics.map((each) => page(each, '/metrics')));
        const figures = (text: string) => text.split('\n').filter((line) => FIGURES.test(line));
        expect(figures(other!)).toEqual(figures(one!));
        const used = await env.query<{ line: string }>(
          `select format('stockyard_tenant_hour_api_calls{tenant="%s"} %s', organization_id, value) as line
           from tenant_usage where metric = 'api_calls' and period_start = date_trunc('hour', now(), 'UTC')`,
        );
        expect(figures(one!)).toEqual(expect.arrayContaining(used.map(({ line }) => line)));
        const pictures = await Promise.all(metrics.map((each) => page(each, '/v1/cluster')));
        const [first, second] = pictures.map((text) => JSON.parse(text) as ClusterSnapshot);
        expect([second!.organizations, second!.queues]).toEqual([first!.organizations, first!.queues]);
        expect(first!.organizations).toMatchObject({ active: all.length });
        const scaling = await Promise.all(metrics.map((each) => page(each, '/v1/autoscaling')));
        const heard = scaling.map((text) => {
          const { processes, queues } = JSON.parse(text) as AutoscalingReport;
          return { processes: processes?.map(({ process }) => process).sort(), queues };
        });
        expect(heard[1]).toEqual(heard[0]);
        expect(heard[0]!.processes).toEqual(expect.arrayContaining(['api', 'worker']));
        return true;
      },
      { what: 'both to have collected', timeoutMs: 15_000, intervalMs: 200 },
    );
  });

  it('answer questions in time and alike while the other has no database, hangs or is dead', async () => {
    const [well, other] = metrics as [ObservedProcess, ObservedProcess];
    const asker = all[0]!;
    const [truth] = await stored(asker.tenant);
    const asked = async () => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => asker.ask(first!, '/v1/usage')));
      for (const { status, body } of answers) {
        const used = new Map((body.metrics as UsageSummary['metrics']).map(({ metric, value }) => [metric, value]));
        // What asking does not change.
        expect([status, used.get('rows_written'), used.get('job_milliseconds')]).toEqual([
          ...[200, truth!.rows_written, truth!.job_ms],
        ]);
      }
    };
    await Promise.all(ways.map((way) => way.cut()));
    await waitFor(async () => (await fetch(`${other.url}/health`)).status === 503, { what: 'it to miss its database' });
    await asked();
    await Promise.all(ways.map((way) => way.open()));
    await waitFor(async () => (await fetch(`${other.url}/health`)).ok, { what: 'it to have its database again' });
    well.freeze();
    await asked();
    well.goOn();
    await ends(other, 'kill');
    await asked();
    expect(surprises()).toEqual([]);
    await settle();
  });

  it('find no request twice of an api that was killed, and all that it had flushed', async () => {
    for (const one of all) one.start(first!, 2);
    await goesOn(40);
    const flushed = all.map(counted);
    const areStored = async () => {
      for (const [at, { tenant }] of all.entries()) {
        const [{ calls, refusals } = {}] = await stored(tenant);
        if (calls! < flushed[at]!.calls || refusals! < flushed[at]!.refusals) return false;
      }
      return true;
    };
    await waitFor(areStored, { what: 'a flush under load' });
    await goesOn(1);
    await ends(first!, 'kill');
    await Promise.all(all.map((one) => one.stop()));
    const ended = (sql: string) => () => env.query(sql).then(({ length }) => length === 0);
    // What the dead one had sent commits behind its back; then nothing of it moves any more.
    const connections = `select from pg_stat_activity where datname = current_database() and application_name like 'stockyard-api%'`;
    await waitFor(ended(connections), { what: 'the connections of the dead to end' });
    await waitFor(ended('select from jobs where finished_at is null'), { what: 'the jobs', timeoutMs: 20_000 });
    await ends(worker!, 'stop');
    for (const [at, one] of all.entries()) {
      const sums = await agreed(one.tenant);
      const [{ runs }] = (await env.query<{ runs: number }>(
        'select coalesce(sum(attempts), 0)::int as runs from jobs where organization_id = $1',
        [one.tenant.id],
      )) as [{ runs: number }];
      expect(sums.runs).toBe(runs);
      for (const name of ['calls', 'errors', 'refusals'] as const) {
        expect(sums[name]).toBeGreaterThanOrEqual(flushed[at]![name]);
        expect(sums[name]).toBeLessThanOrEqual(counted(one)[name] + one.unanswered);
      }
    }
  });
});
