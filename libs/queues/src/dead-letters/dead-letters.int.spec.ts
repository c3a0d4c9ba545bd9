/** Jobs that fail for good, through the real relay, BullMQ and workers: what is left of them, and how they come back. */
import { tenantStatement } from '#libs/database';
import { closed, newId, shape, StockyardError } from '#libs/kernel';
import { Directory } from '#libs/tenancy';
import { createOrganization, createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { Queue } from 'bullmq';
import Type from 'typebox';
import { type WorkerUnderTest, workerUnderTest } from '../../test/worker-under-test';
import {
  type DeadLetter,
  DeadLetterService,
  defineJob,
  HandlesJob,
  type Job,
  type JobContext,
  type JobHandler,
  JobRepository,
  JobService,
  type NewJob,
  OutboxRelay,
  queuePrefix,
} from '..';
import { JobRunner } from '../host/job-runner';
import { JobRescue } from '../upkeep/job-rescue.task';

const STEPS = shape(closed({ steps: Type.Integer({ minimum: 1 }) }));
type Steps = { steps: number };
const COUNT = defineJob({
  type: 'letters.count',
  class: 'normal',
  version: 1,
  payload: STEPS,
  attempts: 2,
  backoffMs: 10,
});

const addLocation = tenantStatement(
  'letters_add_location',
  'insert into locations (organization_id, id, code, name) values ($1, $2, $3, $3)',
);

/** Each step inserts one row, so that applying one twice shows. */
@HandlesJob(COUNT)
class CountHandler implements JobHandler<Steps, number> {
  static onStep: (step: number) => Promise<void> = () => Promise.resolve();
  static runs = 0;

  async run(context: JobContext<Steps, number>) {
    CountHandler.runs += 1;
    const { steps } = context.payload;
    for (let step = (context.checkpoint ?? 0) + 1; step <= steps; step += 1) {
      await CountHandler.onStep(step);
      const statements = [addLocation(newId(), `${context.jobId.slice(-12)}-${step}`)];
      await context.commit({ checkpoint: step, processed: step, failed: 0, total: steps, statements });
    }
    return { steps };
  }
}

const crashAt = (which: number) => (step: number) =>
  step === which ? Promise.reject(new TypeError('secret detail')) : Promise.resolve();

describe('Dead letters', () => {
  let env: TestEnvironment;
  let worker: WorkerUnderTest;
  let organization: string;

  const workerOf = () => workerUnderTest({ config: env.config, jobs: [COUNT], handlers: [CountHandler] });
  const create = (options: Partial<NewJob<Steps>> = {}, at = organization) =>
    worker.asTenant(at, () =>
      worker.app.get(JobService).create({ definition: COUNT, payload: { steps: 3 }, ...options }),
    );
  const job = (id: string, at = organization): Promise<Job> =>
    worker.asTenant(at, () => worker.app.get(JobService).get(id));
  const inState = (id: string, state: string, at = organization) =>
    waitFor(async () => ((await job(id, at)).state === state ? job(id, at) : undefined), { what: `the job ${state}` });
  const letters = <T>(work: (letters: DeadLetterService) => Promise<T>, at = organization, by = worker) =>
    by.asTenant(at, () => work(by.app.get(DeadLetterService)));
  const letterOf = async (id: string, at = organization): Promise<DeadLetter | undefined> =>
    (await letters((all) => all.list({ limit: 100 }), at)).find(({ job_id }) => job_id === id);
  /** A job that has failed for good, after `at` - 1 of its steps. */
  const dead = async (options: Partial<NewJob<Steps>> = {}, step = 1, at = organization): Promise<DeadLetter> => {
    CountHandler.onStep = crashAt(step);
    const { id } = await create(options, at);
    await inState(id, 'failed', at);
    CountHandler.onStep = () => Promise.resolve();
    return (await letterOf(id, at))!;
  };
  const rows = async (id: string) =>
    (await env.query("select from locations where code like $1 || '-%'", [id.slice(-12)])).length;

  beforeAll(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '50', QUEUE_LOCK_MS: '2000' });
    organization = (await createOrganization(env)).id;
    worker = await workerOf();
    worker.start();
  });
  afterAll(async () => {
    await worker.close();
    await env.dispose();
  });
  beforeEach(() => {
    CountHandler.onStep = () => Promise.resolve();
    CountHandler.runs = 0;
  });

  it('keeps a job whose attempts are used up, in the transaction that fails it', async () => {
    const letter = await dead();
    expect(letter).toMatchObject({
      type: COUNT.type,
      class: 'normal',
      payload: { version: 1, data: { steps: 3 } },
      error: { code: 'internal_error' },
      attempts: 2,
    });
    expect(JSON.stringify(letter)).not.toContain('secret');
    const [same] = await env.query<{ once: boolean; at: boolean }>(
      `select j.xmin = d.xmin as once, j.finished_at = d.failed_at as at from jobs j join dead_letters d on d.job_id = j.id
       where j.id = $1`,
      [letter.job_id],
    );
    expect(same).toEqual({ once: true, at: true });
  });

  it('does not fail a job whose letter cannot be written', async () => {
    const id = newId();
    await insertRow(id, COUNT.type, { version: 1, data: { steps: 1 } });
    await env.query(
      `create function no_letter() returns trigger language plpgsql as $$ begin raise 'no paper'; end $$`,
    );
    await env.query('create trigger no_letter before insert on dead_letters for each row execute function no_letter()');
    const data = { job_id: id, organization_id: organization, type: COUNT.type, version: 1 };
    const run = () =>
      worker.app.get(JobRunner).run({ data, attempt: 2, waits: 0, signal: new AbortController().signal });
    CountHandler.onStep = crashAt(1);
    try {
      expect(await run()).toMatchObject({ kind: 'later' });
      expect(await job(id)).toMatchObject({ state: 'running', error: null });
    } finally {
      await env.query('drop function no_letter() cascade');
    }
    expect(await run()).toMatchObject({ kind: 'failed' });
    expect(await letterOf(id)).toMatchObject({ attempts: 2 });
  });

  it.each([
    ['a payload of another shape', COUNT.type, { version: 1, data: { steps: -1 } }, 'invalid_job_payload'],
    ['a payload that is no object', COUNT.type, 'poison', 'invalid_job_payload'],
    ['a payload that is nothing', COUNT.type, null, 'invalid_job_payload'],
    ['an unknown version', COUNT.type, { version: 7, data: { steps: 1 } }, 'invalid_job_payload'],
    ['an unknown type', 'letters.unheard_of', { version: 1, data: {} }, 'unknown_job_type'],
  ])('keeps %s at once: no run, no retry', async (_what, type, payload, code) => {
    const id = newId();
    await insertRow(id, type, payload);
    await sendRow(id, type);
    await inState(id, 'failed');
    const letter = (await letterOf(id))!;
    expect(letter).toMatchObject({ type, payload, error: { code } });
    expect(letter.attempts).toBeLessThanOrEqual(1);
    expect(CountHandler.runs).toBe(0);
  });

  it('keeps what a handler refuses at once', async () => {
    CountHandler.onStep = () =>
      Promise.reject(new StockyardError({ code: 'no_way', category: 'invalid', message: 'No way.' }));
    const { id } = await create();
    await inState(id, 'failed');
    expect(await letterOf(id)).toMatchObject({ attempts: 1, error: { code: 'no_way', message: 'No way.' } });
    expect(CountHandler.runs).toBe(1);
  });

  it('replays from the checkpoint with all attempts, although the queue still knows the job as failed', async () => {
    const { id, job_id } = await dead({}, 3);
    expect(await job(job_id)).toMatchObject({ state: 'failed', processed: 2 });
    let crashed = false;
    CountHandler.onStep = (step) => {
      if (crashed) return Promise.resolve();
      crashed = true;
      return step === 3 ? Promise.reject(new Error('again')) : Promise.reject(new Error('not from the checkpoint'));
    };
    const queued = await letters((all) => all.replay(id));
    expect(queued).toMatchObject({ id: job_id, state: 'queued', attempts: 0, error: null, finished_at: null });
    expect(await inState(job_id, 'completed')).toMatchObject({ attempts: 2, processed: 3, result: { steps: 3 } });
    expect(await rows(job_id)).toBe(3);
    expect(await letterOf(job_id)).toBeUndefined();
  });

  it('writes a new letter when the job fails again, and replays that one too', async () => {
    const first = await dead();
    CountHandler.onStep = crashAt(1);
    await letters((all) => all.replay(first.id));
    const second = await waitFor(() => letterOf(first.job_id), { what: 'the second letter' });
    expect(second.id).not.toBe(first.id);
    CountHandler.onStep = () => Promise.resolve();
    await expect(letters((all) => all.replay(first.id))).rejects.toMatchObject({ code: 'not_found' });
    await letters((all) => all.replay(second.id));
    await inState(first.job_id, 'completed');
    expect(await rows(first.job_id)).toBe(3);
  });

  it('replays once when two workers’ pools are asked ten times each at once', async () => {
    const { id, job_id } = await dead();
    const other = await workerOf(); // its own pools, and not started
    CountHandler.runs = 0;
    try {
      const asked = [worker, other].flatMap((by) =>
        Array.from({ length: 10 }, () =>
          letters((all) => all.replay(id), organization, by).then(
            () => 'queued',
            (error: unknown) => (error as StockyardError).code,
          ),
        ),
      );
      const answers = await Promise.all(asked);
      expect(answers.filter((answer) => answer === 'queued')).toHaveLength(1);
      expect(new Set(answers)).toEqual(new Set(['queued', 'not_found']));
    } finally {
      await other.close();
    }
    expect(await inState(job_id, 'completed')).toMatchObject({ attempts: 1 });
    expect(await rows(job_id)).toBe(3);
    expect(CountHandler.runs).toBe(1);
    const sent = await env.query("select from outbox where topic = 'job.queued' and aggregate_id = $1", [job_id]);
    expect(sent).toHaveLength(2);
  });

  it('goes with a retry of its job, once when both are asked for at once', async () => {
    const retry = (jobId: string) => letters((all) => all.retry(jobId));
    const retried = await dead();
    await retry(retried.job_id);
    expect(await letterOf(retried.job_id)).toBeUndefined();
    await expect(letters((all) => all.replay(retried.id))).rejects.toMatchObject({ code: 'not_found' });
    await inState(retried.job_id, 'completed');

    const { id, job_id } = await dead();
    CountHandler.runs = 0;
    const asked = Array.from({ length: 5 }, () => [letters((all) => all.replay(id)), retry(job_id)]).flat();
    const answers = await Promise.allSettled(asked);
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await inState(job_id, 'completed')).toMatchObject({ round: 1, attempts: 1 });
    expect(CountHandler.runs).toBe(1);
    expect(await letterOf(job_id)).toBeUndefined();
  });

  it('discards a letter once; its job stays failed', async () => {
    const { id, job_id } = await dead();
    await letters((all) => all.discard(id));
    await expect(letters((all) => all.discard(id))).rejects.toMatchObject({ code: 'not_found' });
    await expect(letters((all) => all.replay(id))).rejects.toMatchObject({ code: 'not_found' });
    expect(await job(job_id)).toMatchObject({ state: 'failed' });
  });

  it('knows nothing of another tenant’s letters', async () => {
    const { id, job_id } = await dead();
    const { id: other } = await createOrganization(env);
    for (const what of ['get', 'replay', 'discard'] as const)
      await expect(letters<unknown>((all) => all[what](id), other)).rejects.toMatchObject({ code: 'not_found' });
    expect(await letters((all) => all.list({ limit: 10 }), other)).toEqual([]);
    expect(await letterOf(job_id)).toMatchObject({ id });
  });

  it('does nothing of it when what belongs beside it fails', async () => {
    const { id, job_id } = await dead();
    const beside = () => [addLocation(newId(), 'MAIN')]; // is there already
    await expect(letters((all) => all.replay(id, beside))).rejects.toThrow();
    await expect(letters((all) => all.discard(id, beside))).rejects.toThrow();
    expect(await job(job_id)).toMatchObject({ state: 'failed' });
    expect(await letterOf(job_id)).toMatchObject({ id });
  });

  it('goes with its job when that is past its retention', async () => {
    const { job_id } = await dead();
    await worker.asTenant(organization, () => worker.app.get(JobRepository).delete([job_id]));
    expect(await letterOf(job_id)).toBeUndefined();
  });

  it('replays no more than may wait, and stops there', async () => {
    const { id: full } = await createOrganization(env);
    await dead({}, 1, full);
    await dead({}, 1, full);
    await env.query('insert into tenant_limits (organization_id, max_waiting_jobs) values ($1, 1)', [full]);
    const later = await create({ runAt: new Date(Date.now() + 3_600_000) }, full);
    const [{ id }] = (await letters((all) => all.list({ limit: 1 }), full)) as [DeadLetter];
    const type = COUNT.type;
    await expect(letters((all) => all.replay(id), full)).rejects.toMatchObject({ code: 'queue_full' });
    await expect(letters((all) => all.replayType({ type, limit: 9 }), full)).rejects.toMatchObject({
      code: 'queue_full',
    });
    await worker.asTenant(full, () => worker.app.get(JobService).cancel(later.id));
    await letters((all) => all.replay(id), full);
  });

  it('leaves a letter whose key another open job has', async () => {
    const { id: at } = await createOrganization(env);
    const letter = await dead({ dedupeKey: 'one' }, 1, at);
    const open = await create({ dedupeKey: 'one', runAt: new Date(Date.now() + 3_600_000) }, at);
    await expect(letters((all) => all.replay(letter.id), at)).rejects.toMatchObject({ code: 'job_key_in_use' });
    await dead({}, 1, at);
    const done = await letters((all) => all.replayType({ type: COUNT.type, limit: 10 }), at);
    expect(done).toEqual({ replayed: 1, refused: [{ id: letter.id, code: 'job_key_in_use' }], next: null });
    await worker.asTenant(at, () => worker.app.get(JobService).cancel(open.id));
    await letters((all) => all.replay(letter.id), at);
    await inState(letter.job_id, 'completed', at);
  });

  it('replays a type page by page, oldest first', async () => {
    const { id: at } = await createOrganization(env);
    const ids: string[] = [];
    for (let index = 0; index < 3; index += 1) ids.push((await dead({}, 1, at)).id);
    const first = await letters((all) => all.replayType({ type: COUNT.type, limit: 2 }), at);
    expect(first).toMatchObject({ replayed: 2, next: { after: ids[1], until: ids[2] } });
    expect((await letters((all) => all.list({ limit: 9 }), at)).map(({ id }) => id)).toEqual([ids[2]]);
    expect(await letters((all) => all.replayType({ type: 'letters.other', limit: 2 }), at)).toMatchObject({
      replayed: 0,
      next: null,
    });
  });

  async function insertRow(id: string, type: string, payload: unknown): Promise<void> {
    await env.query(
      `insert into jobs (organization_id, id, type, class, payload, actor_type) values ($1, $2, $3, 'normal', $4, 'system')`,
      [organization, id, type, JSON.stringify(payload)],
    );
  }

  async function sendRow(id: string, type: string): Promise<void> {
    await env.query(
      `insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
       values ($1, $2, 'job.queued', 'job', $2, $3)`,
      [organization, id, JSON.stringify({ job_id: id, organization_id: organization, type, version: 1 })],
    );
  }
});

describe('A replayed job that no worker has taken', () => {
  it('waits in fair order under the name of its round, and is restored under it when the queue lost it', async () => {
    const env = await createTestEnvironment();
    const worker = await workerUnderTest({ config: env.config, jobs: [COUNT], handlers: [CountHandler] }); // never started
    const queue = new Queue(COUNT.class, {
      connection: { url: env.config.REDIS_URL },
      prefix: queuePrefix(env.config, COUNT.class),
    });
    const waiting = async () => (await queue.getPrioritized()).map((job) => job.id);
    try {
      const { id: at } = await createOrganization(env);
      const relay = worker.app.get(OutboxRelay);
      const made = await worker.asTenant(at, () =>
        worker.app.get(JobService).create({ definition: COUNT, payload: { steps: 1 } }),
      );
      await relay.relayOnce();
      CountHandler.onStep = crashAt(1);
      const data = { job_id: made.id, organization_id: at, type: COUNT.type, version: 1 };
      const signal = new AbortController().signal;
      await worker.app.get(JobRunner).run({ data, attempt: 2, waits: 0, signal });

      await worker.asTenant(at, async () => {
        const letters = worker.app.get(DeadLetterService);
        const [letter] = await letters.list({ limit: 1 });
        return letters.replay(letter!.id);
      });
      await relay.relayOnce();
      const name = `job-${made.id}-1`;
      expect(name).not.toBe(`job-${made.id}`);
      expect(await waiting()).toEqual([`job-${made.id}`, name]);

      await queue.obliterate({ force: true });
      await env.query("update jobs set created_at = now() - interval '2 minutes' where id = $1", [made.id]);
      const organization = (await worker.app.get(Directory).find(at))!;
      await worker.asTenant(at, () => worker.app.get(JobRescue).run(organization));
      expect(await waiting()).toEqual([name]);
    } finally {
      await queue.close();
      await worker.close();
      await env.dispose();
    }
  });
});
