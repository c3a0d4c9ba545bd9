import { closed, newId, shape, StockyardError } from '#libs/kernel';
import {
  createOrganization,
  createTestEnvironment,
  type LocalRedis,
  startLocalRedis,
  type TestEnvironment,
  waitFor,
} from '#libs/testing';
import Type from 'typebox';
import { tenantStatement } from '#libs/database';
import { MetricsRegistry } from '#libs/observability';
import { type WorkerUnderTest, workerUnderTest } from '../../test/worker-under-test';
import { defineJob, HandlesJob, type Job, type JobContext, type JobHandler, JobService } from '..';

const PAYLOAD = shape(closed({ steps: Type.Integer() }));
const WALK = defineJob({ type: 'test.walk', class: 'bulk', version: 1, payload: PAYLOAD });

const addLocation = tenantStatement(
  'test_add_location',
  'insert into locations (organization_id, id, code, name) values ($1, $2, $3, $3)',
);

/** Walks its steps, and waits before each for `gate`. */
@HandlesJob(WALK)
class WalkHandler implements JobHandler<{ steps: number }, number> {
  static gate: (context: JobContext, step: number) => Promise<void> = () => Promise.resolve();

  async run(context: JobContext<{ steps: number }, number>) {
    for (let step = (context.checkpoint ?? 0) + 1; step <= context.payload.steps; step += 1) {
      await WalkHandler.gate(context, step);
      await context.commit({
        checkpoint: step,
        processed: step,
        failed: 0,
        total: null,
        statements: [addLocation(newId(), `${context.jobId.slice(-12)}-${step}`)],
      });
    }
    return {};
  }
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve())));

describe('QueueHost', () => {
  let env: TestEnvironment;
  let redis: LocalRedis;
  let worker: WorkerUnderTest;
  let organization: string;

  const start = async () => {
    worker = await workerUnderTest({ config: env.config, jobs: [WALK], handlers: [WalkHandler] });
    worker.start();
  };
  const create = (steps: number) =>
    worker.asTenant(organization, () => worker.app.get(JobService).create({ definition: WALK, payload: { steps } }));
  const rows = () => env.query<Job>('select * from jobs order by id');
  const completed = (count: number) =>
    waitFor(async () => (await rows()).filter((job) => job.state === 'completed').length === count, {
      what: `${count} completed jobs`,
      timeoutMs: 30_000,
    });
  const effects = async () =>
    (await env.query<{ n: number }>("select count(*)::int as n from locations where code <> 'MAIN'"))[0]!.n;

  beforeEach(async () => {
    WalkHandler.gate = () => Promise.resolve();
    redis = await startLocalRedis();
    env = await createTestEnvironment({ REDIS_URL: redis.url, OUTBOX_POLL_MS: '50', QUEUE_LOCK_MS: '2000' });
    organization = (await createOrganization(env)).id;
    await start();
  });
  afterEach(async () => {
    await worker.close();
    await redis.remove();
    await env.dispose();
  });

  const WALKS = 'job_class="bulk",type="test.walk"';
  const metric = async (series: string) => {
    const lines = (await worker.app.get(MetricsRegistry).text()).split('\n');
    return Number(lines.find((line) => line.startsWith(`${series} `))?.slice(series.length + 1) ?? 0);
  };

  it('counts how long jobs waited and ran by class, type and outcome, and the batches that brought them', async () => {
    const ran = (outcome: string) => metric(`stockyard_job_run_seconds_count{${WALKS},outcome="${outcome}"}`);
    await create(1);
    await create(1);
    await waitFor(async () => (await ran('completed')) === 2, { what: 'two completed runs' });
    WalkHandler.gate = () =>
      Promise.reject(new StockyardError({ code: 'no_way', category: 'unprocessable', message: 'No.' }));
    await create(1);
    await waitFor(async () => (await ran('failed')) === 1, { what: 'a failed run' });
    expect(await metric(`stockyard_job_wait_seconds_count{${WALKS}}`)).toBe(3);
    expect(await metric(`stockyard_job_wait_seconds_sum{${WALKS}}`)).toBeGreaterThan(0);
    expect(await metric('stockyard_outbox_batch_rows_sum{shard="main"}')).toBe(3);
    expect(await worker.app.get(MetricsRegistry).text()).not.toContain(organization);
  });

  it('hands running jobs back when it stops, and another worker goes on from the checkpoint', async () => {
    let reached = false;
    WalkHandler.gate = async (context, step) => {
      if (step < 3) return;
      reached = true;
      await aborted(context.signal);
    };
    await create(5);
    await waitFor(() => reached, { what: 'the job to be half way' });
    await worker.close();
    expect(await rows()).toMatchObject([{ state: 'queued', checkpoint: 2, attempts: 1 }]);

    WalkHandler.gate = () => Promise.resolve();
    await start();
    await completed(1);
    expect(await rows()).toMatchObject([{ state: 'completed', attempts: 1 }]);
    expect(await effects()).toBe(5);
    expect(await metric(`stockyard_job_wait_seconds_count{${WALKS}}`)).toBe(0); // it had begun before
  });

  it('does not wait longer than its grace for a handler that will not stop', async () => {
    let release: () => void = () => undefined;
    let reached = false;
    WalkHandler.gate = () => {
      reached = true;
      return new Promise<void>((resolve) => (release = resolve));
    };
    await worker.close();
    await env.dispose();
    env = await createTestEnvironment({ REDIS_URL: redis.url, OUTBOX_POLL_MS: '50', SHUTDOWN_GRACE_MS: '500' });
    organization = (await createOrganization(env)).id;
    await start();
    await create(1);
    await waitFor(() => reached, { what: 'the job to start' });
    const begun = performance.now();
    await worker.close();
    expect(performance.now() - begun).toBeLessThan(3_000);
    release();
  });

  it('keeps what was written while Redis is away, and works it off when Redis is back', async () => {
    await redis.kill();
    for (let index = 0; index < 20; index += 1) await create(2);
    const [waiting] = await env.query<{ n: number }>(
      'select count(*)::int as n from outbox where published_at is null',
    );
    expect(waiting!.n).toBe(20);
    await redis.start();
    await completed(20);
    expect(await effects()).toBe(40);
  });

  it('finds the jobs again that a Redis without persistence has lost', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    WalkHandler.gate = () => gate;
    for (let index = 0; index < 5; index += 1) await create(2); // two run, three wait in Redis
    await waitFor(async () => (await rows()).filter((job) => job.state === 'running').length === 2, {
      what: 'jobs to run',
    });
    await waitFor(async () => (await env.query('select from outbox where published_at is null')).length === 0, {
      what: 'all jobs to be in Redis',
    });
    await env.query("update jobs set created_at = now() - interval '1 hour'");
    await redis.kill();
    await redis.start();
    release();
    await completed(5);
    expect(await effects()).toBe(10);
  });
});
