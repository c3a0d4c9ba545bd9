import { closed, newId, shape, StockyardError } from '#libs/kernel';
import { createOrganization, createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import Type from 'typebox';
import { Queue } from 'bullmq';
import { type WorkerUnderTest, workerUnderTest } from '../../test/worker-under-test';
import {
  defineJob,
  HandlesJob,
  JOB_CLASSES,
  type Job,
  type JobContext,
  type JobHandler,
  JobService,
  queuePrefix,
} from '..';
import { tenantStatement } from '#libs/database';
import { Directory } from '#libs/tenancy';
import { JobRunner } from './job-runner';

const STEPS = shape(closed({ steps: Type.Integer({ minimum: 1 }), mode: Type.Optional(Type.String()) }));
const COUNT = defineJob({ type: 'test.count', class: 'normal', version: 1, payload: STEPS, backoffMs: 50 });
const OTHER = defineJob({ type: 'test.other', class: 'high', version: 1, payload: STEPS });
const VERSION_2 = defineJob({ type: 'test.count', class: 'normal', version: 2, payload: STEPS });

const addLocation = tenantStatement(
  'test_add_location',
  'insert into locations (organization_id, id, code, name) values ($1, $2, $3, $3)',
);

/** Each step inserts one row, so that applying one twice shows. */
@HandlesJob(COUNT)
class CountHandler implements JobHandler<{ steps: number; mode?: string }, number> {
  static onStep: (context: JobContext, step: number) => Promise<void> = () => Promise.resolve();
  static runs = 0;

  async run(context: JobContext<{ steps: number; mode?: string }, number>) {
    CountHandler.runs += 1;
    const { steps, mode } = context.payload;
    if (mode === 'refuse') throw new StockyardError({ code: 'no_way', category: 'invalid', message: 'No way.' });
    if (mode === 'crash') throw new TypeError('secret detail');
    for (let step = (context.checkpoint ?? 0) + 1; step <= steps; step += 1) {
      await CountHandler.onStep(context, step);
      await context.commit({
        checkpoint: step,
        processed: step,
        failed: 0,
        total: steps,
        statements: mode === 'look' ? [] : [addLocation(newId(), `${context.jobId.slice(-12)}-${step}`)],
      });
    }
    return { steps };
  }
}

@HandlesJob(OTHER)
class OtherHandler implements JobHandler {
  async run() {
    return {};
  }
}

const FINAL = new Set(['completed', 'failed', 'cancelled']);

describe('Jobs in a worker', () => {
  let env: TestEnvironment;
  let worker: WorkerUnderTest;
  let organization: string;

  const create = (payload: { steps: number; mode?: string }, at = organization) =>
    worker.asTenant(at, () => worker.app.get(JobService).create({ definition: COUNT, payload }));
  const job = (id: string, at = organization): Promise<Job> =>
    worker.asTenant(at, () => worker.app.get(JobService).get(id));
  const finished = (id: string) =>
    waitFor(
      async () => {
        const found = await job(id);
        return FINAL.has(found.state) ? found : undefined;
      },
      { what: 'the end of the job' },
    );
  const locations = async (id: string) =>
    (
      await env.query<{ n: number }>('select count(*)::int as n from locations where code like $1', [
        `${id.slice(-12)}-%`,
      ])
    )[0]!.n;

  beforeAll(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '50', QUEUE_LOCK_MS: '2000' });
    organization = (await createOrganization(env)).id;
    worker = await workerUnderTest({
      config: env.config,
      jobs: [COUNT, OTHER],
      handlers: [CountHandler, OtherHandler],
    });
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

  it('runs a job to its end and says so to its tenant and its watchers', async () => {
    const { id } = await create({ steps: 3 });
    expect(await finished(id)).toMatchObject({
      state: 'completed',
      processed: 3,
      total: 3,
      attempts: 1,
      result: { steps: 3 },
      error: null,
    });
    expect(await locations(id)).toBe(3);
    const seen = worker.events.progress.filter((hint) => hint.job_id === id);
    expect(seen.map(({ state, processed }) => `${state} ${processed}`)).toEqual([
      'running 0',
      'running 1',
      'running 2',
      'running 3',
      'completed 3',
    ]);
  });

  it('fails at once on a refusal, in its own words', async () => {
    const { id } = await create({ steps: 1, mode: 'refuse' });
    expect(await finished(id)).toMatchObject({
      state: 'failed',
      attempts: 1,
      error: { code: 'no_way', message: 'No way.' },
    });
    expect(CountHandler.runs).toBe(1);
  });

  it('stops at its next step when its organization is suspended, and goes on from there when it is resumed', async () => {
    const { id: at } = await createOrganization(env);
    const turn = async (state: string, place: string) => {
      await env.query('update organizations set state = $2, epoch = epoch + 1 where id = $1', [at, state]);
      await env.query('update tenant_places set state = $2, epoch = epoch + 1 where tenant = $1', [at, place]);
    };
    CountHandler.onStep = (_, step) => (step === 2 ? turn('suspended', 'suspended') : Promise.resolve());
    const { id } = await create({ steps: 3 }, at);
    const queue = new Queue(COUNT.class, {
      connection: { url: env.config.REDIS_URL },
      prefix: queuePrefix(env.config, COUNT.class),
    });
    try {
      await waitFor(async () => (await queue.getJob(`job-${id}`))?.isDelayed(), { what: 'the job to wait' });
    } finally {
      await queue.close();
    }
    expect(await locations(id)).toBe(1);
    expect((await job(id, at)).state).toBe('running'); // not even its row may be written
    CountHandler.onStep = () => Promise.resolve();
    await turn('active', 'open');
    worker.app.get(Directory).forget(at); // as the hint would make it
    const data = { job_id: id, organization_id: at, type: COUNT.type, version: COUNT.version };
    const delivery = { data, attempt: 1, waits: 1, signal: new AbortController().signal };
    await expect(worker.app.get(JobRunner).run(delivery)).resolves.toEqual({ kind: 'completed' });
    expect(await locations(id)).toBe(3);
  });

  it('tries a crash three times, then fails without a word of the inside', async () => {
    const { id } = await create({ steps: 1, mode: 'crash' });
    const failed = await finished(id);
    expect(failed).toMatchObject({ state: 'failed', attempts: 3, error: { code: 'internal_error' } });
    expect(JSON.stringify(failed.error)).not.toContain('secret');
    expect(CountHandler.runs).toBe(3);
  });

  it('goes on from the checkpoint after a crash, and applies no step twice', async () => {
    let crashed = false;
    CountHandler.onStep = (_, step) => {
      if (step !== 3 || crashed) return Promise.resolve();
      crashed = true;
      return Promise.reject(new Error('lost power'));
    };
    const { id } = await create({ steps: 5 });
    expect(await finished(id)).toMatchObject({ state: 'completed', processed: 5, attempts: 2 });
    expect(await locations(id)).toBe(5);
  });

  it('waits for the disk where a step has an effect, and not where it only says how far it is', async () => {
    await env.query(`
      create table commits (job_id uuid, state text, processed bigint, waits text);
      create function note_commit() returns trigger language plpgsql security definer as $$
        begin
          insert into commits values (new.id, new.state, new.processed, current_setting('synchronous_commit'));
          return null;
        end $$;
      create trigger note_commit after update on jobs for each row execute function note_commit()`);
    try {
      const [writes, looks] = [await create({ steps: 2 }), await create({ steps: 2, mode: 'look' })];
      const commitsOf = async ({ id }: { readonly id: string }) => {
        expect(await finished(id)).toMatchObject({ state: 'completed', processed: 2 });
        const rows = await env.query<{ state: string; processed: string; waits: string }>(
          'select state, processed, waits from commits where job_id = $1 order by state desc, processed',
          [id],
        );
        return rows.map(({ state, processed, waits }) => `${state} ${processed} ${waits}`);
      };
      expect(await commitsOf(writes)).toEqual(['running 0 on', 'running 1 on', 'running 2 on', 'completed 2 on']);
      expect(await commitsOf(looks)).toEqual(['running 0 on', 'running 1 off', 'running 2 off', 'completed 2 on']);
    } finally {
      await env.query('drop trigger note_commit on jobs; drop function note_commit; drop table commits');
    }
  });

  it('goes on from the checkpoint before where the server has lost one that was not waited for', async () => {
    let lost = false;
    CountHandler.onStep = async (context, step) => {
      if (step !== 4 || lost) return;
      lost = true;
      await env.query("update jobs set checkpoint = '2', processed = 2 where id = $1", [context.jobId]);
    };
    const { id } = await create({ steps: 5, mode: 'look' });
    expect(await finished(id)).toMatchObject({ state: 'completed', processed: 5, attempts: 1 });
    expect(CountHandler.runs).toBe(2);
  });

  it('is not run again where it was cancelled after such a step', async () => {
    CountHandler.onStep = async (context, step) => {
      if (step === 3) await worker.app.get(JobService).cancel(context.jobId);
    };
    const { id } = await create({ steps: 10, mode: 'look' });
    expect(await finished(id)).toMatchObject({ state: 'cancelled', processed: 2 });
    await waitFor(async () => (await openWork(env)) === 0, { what: 'empty queues' });
    expect(CountHandler.runs).toBe(1);
  });

  it('waits for a dependency without using up attempts', async () => {
    let outages = 2;
    CountHandler.onStep = () => {
      outages -= 1;
      const error = new StockyardError({ code: 'away', category: 'unavailable', message: 'Away.' });
      return outages >= 0 ? Promise.reject(error) : Promise.resolve();
    };
    const { id } = await create({ steps: 1 });
    expect(await finished(id)).toMatchObject({ state: 'completed', attempts: 1 });
    expect(CountHandler.runs).toBe(3);
  });

  it('stops a cancelled job before its next step', async () => {
    CountHandler.onStep = async (context, step) => {
      if (step === 3) await worker.app.get(JobService).cancel(context.jobId);
    };
    const { id } = await create({ steps: 10 });
    expect(await finished(id)).toMatchObject({ state: 'cancelled', processed: 2 });
    await waitFor(async () => (await openWork(env)) === 0, { what: 'empty queues' });
    expect(await locations(id)).toBe(2);
    await expect(worker.asTenant(organization, () => worker.app.get(JobService).cancel(id))).rejects.toMatchObject({
      code: 'job_finished',
    });
  });

  it('keeps a job waiting while its organization is suspended', async () => {
    const { id: suspended } = await createOrganization(env);
    await env.query("update organizations set state = 'suspended' where id = $1", [suspended]);
    const { id } = await create({ steps: 1 }, suspended);
    await waitFor(async () => (await queueOf(env, 'normal', (queue) => queue.getDelayedCount())) > 0, {
      what: 'the job to wait',
    });
    expect((await job(id, suspended)).state).toBe('queued');
    expect(CountHandler.runs).toBe(0);
  });

  it('lets only one of two runs that overlap take effect', async () => {
    const runner = worker.app.get(JobRunner);
    const id = newId();
    await insertRow(id, COUNT.type, { version: 1, data: { steps: 20 } }); // in no queue
    const data = { job_id: id, organization_id: organization, type: COUNT.type, version: 1 };
    const delivery = { data, attempt: 1, waits: 0, signal: new AbortController().signal } as const;
    const outcomes = await Promise.all([runner.run(delivery), runner.run(delivery), runner.run(delivery)]);
    expect(outcomes.map(({ kind }) => kind)).toContain('completed');
    expect(await finished(id)).toMatchObject({ state: 'completed', processed: 20 });
    expect(await locations(id)).toBe(20);
  });

  async function insertRow(id: string, type: string, payload: object): Promise<void> {
    await env.query(
      `insert into jobs (organization_id, id, type, class, payload, actor_type) values ($1, $2, $3, 'normal', $4, 'system')`,
      [organization, id, type, JSON.stringify(payload)],
    );
  }

  describe('refuses what the queue should not hold', () => {
    const deliver = (data: object) =>
      worker.app.get(JobRunner).run({ data, attempt: 1, waits: 0, signal: new AbortController().signal });

    it('another tenant in place of the job’s own', async () => {
      const { id } = await create({ steps: 1 });
      const { id: other } = await createOrganization(env);
      const outcome = await deliver({ job_id: id, organization_id: other, type: COUNT.type, version: 1 });
      expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'job_mismatch' } });
      expect(await finished(id)).toMatchObject({ state: 'completed' });
    });

    it('another type in place of the job’s own, and leaves the job alone', async () => {
      const id = newId();
      await insertRow(id, COUNT.type, { version: 1, data: { steps: 1 } });
      for (const type of [OTHER.type, 'test.nonsense']) {
        const outcome = await deliver({ job_id: id, organization_id: organization, type, version: 1 });
        expect(outcome).toMatchObject({ kind: 'failed' });
        expect((await job(id)).state).toBe('queued');
      }
    });

    it('an unknown organization', async () => {
      const outcome = await deliver({ job_id: newId(), organization_id: newId(), type: COUNT.type, version: 1 });
      expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'organization_unknown' } });
    });

    it.each([{}, { job_id: 1 }, { job_id: newId(), organization_id: 'x', type: 'a', version: 1 }])(
      '%j',
      async (data) => {
        expect(await deliver(data)).toMatchObject({ kind: 'failed' });
      },
    );

    it('a poisoned payload, at once and in sight of the tenant', async () => {
      const id = newId();
      await worker.asTenant(organization, () => insertRaw(id, COUNT.type, { version: 1, data: { steps: -1 } }));
      expect(await finished(id)).toMatchObject({
        state: 'failed',
        attempts: 1,
        error: { code: 'invalid_job_payload' },
      });
      expect(CountHandler.runs).toBe(0);
    });

    it('a version it does not know', async () => {
      const id = newId();
      await worker.asTenant(organization, () =>
        insertRaw(id, COUNT.type, { version: VERSION_2.version, data: { steps: 1 } }),
      );
      expect(await finished(id)).toMatchObject({ state: 'failed', error: { code: 'invalid_job_payload' } });
    });

    it('a type that no release knows: at the producer, and at the consumer in sight of the tenant', async () => {
      const unknown = defineJob({ type: 'test.gone', class: 'normal', version: 1, payload: STEPS });
      const create = () => worker.app.get(JobService).create({ definition: unknown, payload: { steps: 1 } });
      await expect(worker.asTenant(organization, create)).rejects.toMatchObject({ code: 'unknown_job_type' });
      const id = newId();
      await worker.asTenant(organization, () => insertRaw(id, unknown.type, { version: 1, data: { steps: 1 } }));
      expect(await finished(id)).toMatchObject({ state: 'failed', error: { code: 'unknown_job_type' } });
    });

    /** A job as a faulty producer would write it. */
    async function insertRaw(id: string, type: string, payload: object): Promise<void> {
      await insertRow(id, type, payload);
      await env.query(
        `insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
         values ($1, $2, 'job.queued', 'job', $2, $3)`,
        [organization, id, JSON.stringify({ job_id: id, organization_id: organization, type, version: 1 })],
      );
    }
  });
});

async function queueOf<T>(env: TestEnvironment, name: string, work: (queue: Queue) => Promise<T>): Promise<T> {
  const queue = new Queue(name, { connection: { url: env.config.REDIS_URL }, prefix: queuePrefix(env.config, name) });
  try {
    return await work(queue);
  } finally {
    await queue.close();
  }
}

async function openWork(env: TestEnvironment): Promise<number> {
  const counts = await Promise.all(
    JOB_CLASSES.map((name) => queueOf(env, name, (queue) => queue.getJobCountByTypes('active', 'waiting'))),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
