import { closed, newId, shape } from '#libs/kernel';
import { defineJob, HandlesJob, type JobHandler } from '#libs/queues';
import { createOrganization, createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import Type from 'typebox';
import { type WorkerUnderTest, workerUnderTest } from '../../queues/test/worker-under-test';
import { Scheduler } from './runner/scheduler';
import { SchedulesWorkerModule } from './schedules.module';

const PAYLOAD = shape(closed({ n: Type.Integer() }));
const REPORT = defineJob({ type: 'test.report', version: 2, payload: PAYLOAD, schedulable: true });
/** Of those with the same n, one at a time. */
const ALONE = defineJob<{ n: number }>({
  type: 'test.alone',
  version: 1,
  payload: PAYLOAD,
  schedulable: true,
  dedupeKey: ({ n }) => String(n),
});
const SECRET = defineJob({ type: 'test.secret', version: 1, payload: PAYLOAD });

@HandlesJob(REPORT)
class ReportHandler implements JobHandler {
  run() {
    return Promise.resolve({});
  }
}

/** Has no tick of its own while the spec runs. */
const RARE = '0 0 29 2 *';

interface Row {
  readonly id: string;
  readonly state: string;
  readonly paused_reason: string | null;
  readonly next_run_at: Date | null;
  readonly last_job_id: string | null;
  readonly last_skip_reason: string | null;
  readonly version: number;
}

describe('Schedules that are due', () => {
  let env: TestEnvironment;
  let workers: WorkerUnderTest[];
  let organization: string;
  const ticks = new Map<string, Date>();

  const open = () =>
    workerUnderTest({
      config: env.config,
      jobs: [REPORT, SECRET, ALONE],
      handlers: [ReportHandler],
      imports: [SchedulesWorkerModule],
    });
  const runOnce = () => workers[0]!.app.get(Scheduler).runOnce();
  const insert = async (due: string, values: Record<string, unknown> = {}): Promise<string> => {
    const id = newId();
    const payload = { version: 2, data: { n: 1 } };
    const row = { cron: RARE, time_zone: 'UTC', job_type: REPORT.type, payload, of: organization, ...values };
    const [made] = await env.query<{ next_run_at: Date }>(
      `insert into schedules (organization_id, id, name, cron, time_zone, job_type, payload, next_run_at)
       values ($1, $2::uuid, $2::uuid::text, $3, $4, $5, $6, now() - $7::interval) returning next_run_at`,
      [row.of, id, row.cron, row.time_zone, row.job_type, row.payload, due],
    );
    ticks.set(id, made!.next_run_at);
    return id;
  };
  const rowOf = async (id: string) => (await env.query<Row>('select * from schedules where id = $1', [id]))[0]!;
  const jobsOf = (id: string) =>
    env.query<{ id: string; payload: unknown; made_late: number; began_late: number }>(
      'select * from jobs where actor_id = $1 order by id',
      [id],
    );

  beforeAll(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '50' });
    workers = [await open(), await open(), await open(), await open()];
  });
  beforeEach(async () => {
    organization = (await createOrganization(env)).id;
  });
  afterEach(() => env.query('delete from schedules'));
  afterAll(async () => {
    for (const worker of workers) await worker.close();
    await env.dispose();
  });

  it('make one job a tick, whatever the number of workers that look at the same time', async () => {
    const tenants = [organization, (await createOrganization(env)).id, (await createOrganization(env)).id];
    const ids: string[] = [];
    for (let index = 0; index < 150; index += 1)
      ids.push(await insert('1 minute', { of: tenants[index % 3], cron: RARE }));
    const rounds = 4;
    for (let round = 1; round <= rounds; round += 1) {
      const drain = async (worker: WorkerUnderTest) => {
        while ((await worker.app.get(Scheduler).runOnce()) > 0);
      };
      await Promise.all(workers.flatMap((worker) => [drain(worker), drain(worker)]));
      await Promise.all(workers.map(drain)); // what the first to finish passed over because another had it
      const late = await env.query('select from schedules where next_run_at <= now()');
      expect(late).toEqual([]);
      // the clock runs on by a tick
      if (round < rounds)
        await env.query("update schedules set next_run_at = now() - interval '1 hour' - $1 * interval '1 minute'", [
          round,
        ]);
    }
    const made = await env.query<{ n: number }>(
      'select count(*)::int as n from jobs j join schedules s on s.id = j.actor_id group by s.id',
    );
    expect(made).toEqual(ids.map(() => ({ n: rounds })));
    const outbox = await env.query("select from outbox where topic = 'job.queued' and organization_id = any ($1)", [
      tenants,
    ]);
    expect(outbox).toHaveLength(ids.length * rounds);
  });

  it('make one job for all the ticks that were missed, and go on with the next', async () => {
    const id = await insert('3 hours', { cron: '* * * * *' });
    await runOnce();
    const [job, ...others] = await jobsOf(id);
    expect(others).toEqual([]);
    expect(job).toMatchObject({ payload: { version: 2, data: { n: 1 } } });
    const row = await rowOf(id);
    expect(row).toMatchObject({ last_job_id: job!.id, version: 1, last_skip_reason: null });
    expect(row.next_run_at!.getTime() - Date.now()).toBeGreaterThan(-1_000);
    expect(row.next_run_at!.getTime() - Date.now()).toBeLessThan(61_000);
  });

  it('can be years late', async () => {
    const id = await insert('3 years');
    await runOnce();
    expect(await jobsOf(id)).toHaveLength(1);
  });

  it('make no second job for a tick that comes again, and go on', async () => {
    const id = await insert('1 minute');
    const { next_run_at: tick } = await rowOf(id);
    await runOnce();
    await env.query('update schedules set next_run_at = $2 where id = $1', [id, tick]);
    await runOnce();
    expect(await jobsOf(id)).toHaveLength(1);
    const row = await rowOf(id);
    expect(row.last_skip_reason).toBe('already_run');
    expect(row.next_run_at!.getTime()).toBeGreaterThan(tick!.getTime());
  });

  it('pass the tick over where too many jobs wait, say so, and run at the next', async () => {
    const id = await insert('1 minute');
    await env.query('insert into tenant_limits (organization_id, max_waiting_jobs) values ($1, 1)', [organization]);
    await env.query(
      `insert into jobs (organization_id, id, type, class, payload, actor_type) values ($1, $2, 't', 'bulk', '{}', 'system')`,
      [organization, newId()],
    );
    await runOnce();
    expect(await jobsOf(id)).toEqual([]);
    expect(await rowOf(id)).toMatchObject({ last_skip_reason: 'queue_full', last_job_id: null, state: 'active' });
    await env.query('update tenant_limits set max_waiting_jobs = 5 where organization_id = $1', [organization]);
    await env.query('update schedules set next_run_at = now() where id = $1', [id]);
    await runOnce();
    expect(await jobsOf(id)).toHaveLength(1);
  });

  it('pass the tick over where of such jobs there is one at a time and it has not ended, and run at the next', async () => {
    const alone = { job_type: ALONE.type, payload: { version: 1, data: { n: 1 } } };
    const id = await insert('1 minute', alone);
    await runOnce();
    const [first] = await jobsOf(id);
    expect(await rowOf(id)).toMatchObject({ last_job_id: first!.id, last_skip_reason: null });
    await env.query('update schedules set next_run_at = now() where id = $1', [id]);
    const other = await insert('1 minute', alone);
    await Promise.all(workers.map((worker) => worker.app.get(Scheduler).runOnce()));
    await runOnce();
    expect(await jobsOf(id)).toHaveLength(1);
    expect(await jobsOf(other)).toEqual([]);
    expect(await rowOf(id)).toMatchObject({
      last_job_id: first!.id,
      last_skip_reason: 'still_running',
      state: 'active',
    });
    expect(await rowOf(other)).toMatchObject({ last_job_id: null, last_skip_reason: 'still_running' });
    const different = await insert('1 minute', { ...alone, payload: { version: 1, data: { n: 2 } } });
    await runOnce();
    expect(await jobsOf(different)).toHaveLength(1);
    await env.query("update jobs set state = 'completed' where id = $1", [first!.id]);
    await env.query('update schedules set next_run_at = now() where id = $1', [other]);
    await runOnce();
    expect(await jobsOf(other)).toHaveLength(1);
  });

  it.each(['suspended', 'deleting', 'fenced', 'moved'])('wait while their organization is %s', async (state) => {
    const id = await insert('1 minute');
    const put = (to: string) => env.query('update tenant_places set state = $2 where tenant = $1', [organization, to]);
    await put(state);
    expect(await runOnce()).toBe(0);
    await put('open');
    expect(await runOnce()).toBe(1);
    expect(await jobsOf(id)).toHaveLength(1);
  });

  it.each([
    ['whose type the release does not have', { job_type: 'test.gone' }, 'job_type_not_schedulable'],
    ['whose type is not for schedules', { job_type: SECRET.type }, 'job_type_not_schedulable'],
    ['whose payload is of another version', { payload: { version: 1, data: { n: 1 } } }, 'invalid_payload'],
    ['whose payload does not fit', { payload: { version: 2, data: { n: 'x' } } }, 'invalid_payload'],
    ['whose time zone is unknown', { time_zone: 'Mars/Phobos' }, 'never_fires'],
  ])('%s are paused with a reason', async (_what, values, reason) => {
    const id = await insert('1 minute', values);
    await runOnce();
    expect(await rowOf(id)).toMatchObject({ state: 'paused', paused_reason: reason, next_run_at: null, version: 2 });
    expect(await jobsOf(id)).toEqual([]);
    expect(
      await env.query("select data from audit_log where target_id = $1 and action = 'schedule.paused'", [id]),
    ).toEqual([{ data: { name: id, reason } }]);
    expect(await runOnce()).toBe(0);
  });

  it('of a type that only a newer worker has are left to it for a while', async () => {
    const id = await insert('1 second', { job_type: 'test.new' });
    expect(await runOnce()).toBe(1);
    expect(await rowOf(id)).toMatchObject({ state: 'active', version: 1 });
    expect(await runOnce()).toBe(0); // set aside: no loop
  });

  it('are seen by the relay’s role with owner, id and time only, and not before they are due', async () => {
    const [id] = [await insert('1 minute'), await insert('-1 hour')];
    const relay = await env.connectAs('relay');
    try {
      const { rows } = await relay.query('select id, organization_id, next_run_at <= now() as due from schedules');
      expect(rows).toEqual([{ id, organization_id: organization, due: true }]);
      for (const column of ['name', 'cron', 'payload', 'job_type'])
        await expect(relay.query(`select ${column} from schedules`)).rejects.toMatchObject({ code: '42501' });
      await expect(relay.query('update schedules set next_run_at = null')).rejects.toMatchObject({ code: '42501' });
      await expect(relay.query('delete from schedules')).rejects.toMatchObject({ code: '42501' });
    } finally {
      await relay.end();
    }
  });

  it('begin within two seconds of their time', async () => {
    const [worker] = workers;
    worker!.start();
    worker!.app.get(Scheduler).start();
    const ids = await Promise.all(Array.from({ length: 20 }, () => insert('-2 seconds')));
    const begun = await waitFor(
      async () => {
        const rows = await env.query<{ actor_id: string; started_at: Date }>(
          'select actor_id, started_at from jobs where actor_id = any ($1) and started_at is not null',
          [ids],
        );
        return rows.length === ids.length ? rows : undefined;
      },
      { what: 'the jobs to begin' },
    );
    const late = begun.map((job) => job.started_at.getTime() - ticks.get(job.actor_id)!.getTime());
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...late)).toBeLessThan(2_000);
  });
});
