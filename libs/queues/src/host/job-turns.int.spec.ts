/** Fairness and limits through the real relay, BullMQ and workers: who runs when, and how many at once. */
import { closed, shape } from '#libs/kernel';
import type { Tier } from '#libs/tenancy';
import { createOrganization, createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { Queue } from 'bullmq';
import Type from 'typebox';
import { type WorkerUnderTest, workerUnderTest } from '../../test/worker-under-test';
import { defineJob, HandlesJob, type JobContext, type JobHandler, JobService, type NewJob, queuePrefix } from '..';
import { OutboxRelay } from '../relay/outbox-relay';

const NAME = shape(closed({ name: Type.String() }));
type Payload = { name: string };
const STEP = defineJob({ type: 'turns.step', class: 'low', version: 1, payload: NAME, backoffMs: 10 });
const SLOW = defineJob({
  type: 'turns.slow',
  class: 'high',
  version: 1,
  payload: NAME,
  timeoutMs: 300,
  attempts: 2,
  backoffMs: 10,
});

/** What ran, in order; hooks decide how. */
const seen: string[] = [];
let during: (context: JobContext<Payload>) => Promise<void> = () => Promise.resolve();

@HandlesJob(STEP)
class StepHandler implements JobHandler<Payload> {
  async run(context: JobContext<Payload>) {
    seen.push(context.payload.name);
    await during(context);
    return {};
  }
}

@HandlesJob(SLOW)
class SlowHandler extends StepHandler {}

describe('turns of jobs in real workers', () => {
  let env: TestEnvironment;
  let workers: WorkerUnderTest[];
  let queue: Queue;

  const open = async (concurrency: number) => {
    const config = { ...env.config, QUEUE_CONCURRENCY_LOW: concurrency };
    const worker = await workerUnderTest({ config, jobs: [STEP, SLOW], handlers: [StepHandler, SlowHandler] });
    workers.push(worker);
    return worker;
  };
  const tenant = async (tier: Tier = 'enterprise') => (await createOrganization(env, { tier })).id;
  const add = (worker: WorkerUnderTest, at: string, name: string, options: Partial<NewJob<Payload>> = {}) =>
    worker.asTenant(at, () => worker.app.get(JobService).create({ definition: STEP, payload: { name }, ...options }));
  const relayed = async (worker: WorkerUnderTest) => {
    while ((await worker.app.get(OutboxRelay).relayOnce()) > 0);
  };
  const ran = (count: number) => waitFor(() => seen.length >= count, { what: `${count} runs`, timeoutMs: 30_000 });
  const stateOf = async (worker: WorkerUnderTest, at: string, id: string) =>
    (await worker.asTenant(at, () => worker.app.get(JobService).get(id))).state;

  beforeAll(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '20', QUEUE_LOCK_MS: '2000' });
    queue = new Queue('low', { connection: { url: env.config.REDIS_URL }, prefix: queuePrefix(env.config, 'low') });
  });

  beforeEach(() => {
    workers = [];
    seen.length = 0;
    during = () => Promise.resolve();
  });

  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.close()));
    await queue.drain(true);
  });

  afterAll(async () => {
    await queue.close();
    await env.dispose();
  });

  it('interleave a tenant that comes late with one that has many, by their weights', async () => {
    const worker = await open(1);
    const [many, few, big] = [await tenant('free'), await tenant('free'), await tenant('professional')];
    for (let i = 0; i < 30; i += 1) await add(worker, many, 'many');
    await relayed(worker);
    for (let i = 0; i < 5; i += 1) await add(worker, few, 'few');
    for (let i = 0; i < 20; i += 1) await add(worker, big, 'big');
    await relayed(worker);
    worker.start();
    await ran(55);
    expect(seen.slice(0, 12).filter((name) => name === 'few').length).toBeGreaterThanOrEqual(2);
    const upTo20 = seen.slice(0, 24);
    expect(upTo20.filter((name) => name === 'big').length).toBeGreaterThanOrEqual(14); // 4 of 6 shares
    expect(seen.lastIndexOf('few')).toBeLessThan(36);
  });

  it('run no more of a tenant at once than its limit, over two workers, and all of them in the end', async () => {
    const free = await tenant('free');
    let [running, most] = [0, 0];
    during = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 15));
      running -= 1;
    };
    const [one, two] = [await open(6), await open(6)];
    one.start();
    two.start();
    for (let i = 0; i < 40; i += 1) await add(one, free, 'capped');
    await ran(40);
    await waitFor(() => running === 0, { what: 'the last one' });
    expect(most).toBe(2);
    expect(seen).toHaveLength(40);
  });

  it('let an urgent job of a tenant go before its others, and take nothing from anybody else', async () => {
    const worker = await open(1);
    const [a, b] = [await tenant(), await tenant()];
    for (let i = 0; i < 6; i += 1) await add(worker, a, `a${i}`);
    for (let i = 0; i < 6; i += 1) await add(worker, b, `b${i}`);
    await relayed(worker);
    await add(worker, a, 'urgent', { priority: 1 });
    await relayed(worker);
    worker.start();
    await ran(13);
    expect(seen.indexOf('urgent')).toBeLessThan(seen.indexOf('a1'));
    const firstSix = seen.slice(0, 6);
    expect(firstSix.filter((name) => name.startsWith('b'))).toHaveLength(3);
  });

  it('start no job before its time, and then in its turn', async () => {
    const worker = await open(1);
    const at = await tenant();
    worker.start();
    const due = Date.now() + 700;
    let began = 0;
    during = ({ payload }) => {
      if (payload.name === 'later') began = Date.now();
      return Promise.resolve();
    };
    await add(worker, at, 'later', { runAt: new Date(due) });
    await add(worker, at, 'now');
    await ran(2);
    expect(seen).toEqual(['now', 'later']);
    expect(began).toBeGreaterThanOrEqual(due - 1);
  });

  it('make a job that failed wait behind who came meanwhile, and give it as many attempts as it asked for', async () => {
    const worker = await open(1);
    const [failing, others] = [await tenant(), await tenant()];
    during = ({ payload }) => (payload.name === 'failing' ? Promise.reject(new Error('not yet')) : Promise.resolve());
    worker.start();
    const { id } = await add(worker, failing, 'failing', { attempts: 5 });
    await ran(1);
    for (let i = 0; i < 5; i += 1) await add(worker, others, 'other');
    await waitFor(async () => (await stateOf(worker, failing, id)) === 'failed', { what: 'the last attempt' });
    expect(seen.filter((name) => name === 'failing')).toHaveLength(5);
  });

  it('end a run that takes longer than its type allows, and count the attempt', async () => {
    const worker = await open(1);
    const at = await tenant();
    during = async (context) => {
      await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()));
      await context.report({ processed: 1, failed: 0, total: 1 });
    };
    worker.start();
    const { id } = await worker.asTenant(at, () =>
      worker.app.get(JobService).create({ definition: SLOW, payload: { name: 'slow' } }),
    );
    const job = await waitFor(
      async () => {
        const found = await worker.asTenant(at, () => worker.app.get(JobService).get(id));
        return found.state === 'failed' && found;
      },
      { what: 'the failure' },
    );
    expect(seen).toEqual(['slow', 'slow']);
    expect(job.error).toEqual({ code: 'job_timeout', message: 'The run took longer than 300 ms.' });
  });

  it('make one open job of a key, and another when that is done', async () => {
    const worker = await open(1);
    const at = await tenant();
    const jobs = await Promise.all(Array.from({ length: 8 }, () => add(worker, at, 'keyed', { dedupeKey: 'k' })));
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
    expect((await add(worker, await tenant(), 'keyed', { dedupeKey: 'k' })).id).not.toBe(jobs[0]!.id);
    worker.start();
    await ran(2);
    await waitFor(async () => (await stateOf(worker, at, jobs[0]!.id)) === 'completed', { what: 'the end' });
    expect((await add(worker, at, 'keyed', { dedupeKey: 'k' })).id).not.toBe(jobs[0]!.id);
  });

  it('refuse a job beyond the limit of waiting ones, with nothing written', async () => {
    const worker = await open(1);
    const at = await tenant();
    await env.query('insert into tenant_limits (organization_id, max_waiting_jobs) values ($1, 3)', [at]);
    for (let i = 0; i < 3; i += 1) await add(worker, at, 'waits');
    await expect(add(worker, at, 'too many')).rejects.toMatchObject({
      code: 'queue_full',
      category: 'limited',
      details: { limit: 'max_waiting_jobs', maximum: 3, in_use: 3 },
    });
    const [rows] = await env.query<{ n: number }>('select count(*)::int as n from outbox where organization_id = $1', [
      at,
    ]);
    expect(rows!.n).toBe(3);
  });

  it.each([
    ['less than its connections', 7, 0],
    ['more than its connections', 3, 1],
  ])(
    'waits in no greater number than the limit, %s, when three processes’ pools make them at once',
    async (_, more, connections) => {
      const [{ most }] = (await env.query<{ most: number }>(
        "select current_setting('max_connections')::int as most",
      )) as [{ most: number }];
      const limit = connections * most + more;
      const at = await tenant();
      await env.query('insert into tenant_limits (organization_id, max_waiting_jobs) values ($1, $2)', [at, limit]);
      const makers = [await open(1), await open(1), await open(1)];
      const made = makers.flatMap((maker) =>
        Array.from({ length: limit }, () =>
          add(maker, at, 'crowd').then(
            () => 'made',
            (error: unknown) => (error as { code: string }).code,
          ),
        ),
      );
      const answers = await Promise.all(made);
      expect(answers.filter((answer) => answer === 'made')).toHaveLength(limit);
      expect(new Set(answers)).toEqual(new Set(['made', 'queue_full']));
    },
  );
});
