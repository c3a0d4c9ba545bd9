/** The log of a job, and what a retry does to a job that BullMQ may still know. */
import { closed, shape, StockyardError } from '#libs/kernel';
import { createOrganization, createTestEnvironment, type TestEnvironment, waitFor } from '#libs/testing';
import { type WorkerUnderTest, workerUnderTest } from '../../test/worker-under-test';
import {
  DeadLetterService,
  defineJob,
  HandlesJob,
  type Job,
  type JobContext,
  type JobHandler,
  JobService,
  type JobState,
} from '..';
import { KEPT_LINES } from '../jobs/job-log';
import { JobSuperseded } from './job-outcome';

const payload = shape(closed({}));
const TALK = defineJob({ type: 'test.talk', class: 'normal', version: 1, payload, backoffMs: 20 });
const AGAIN = defineJob({ type: 'test.again', class: 'normal', version: 1, payload, idempotency: 'repeatable' });

type Context = JobContext<unknown, number>;

@HandlesJob(TALK)
class TalkHandler implements JobHandler<unknown, number> {
  static script: (context: Context) => Promise<void> = () => Promise.resolve();

  async run(context: Context) {
    await TalkHandler.script(context);
    return {};
  }
}

@HandlesJob(AGAIN)
class AgainHandler implements JobHandler {
  async run(context: JobContext) {
    context.log('info', 'Reported.');
    await context.report({ processed: 1, failed: 0, total: null });
    context.log('info', 'After the report.');
    return {};
  }
}

const step = (context: Context, checkpoint: number) =>
  context.commit({ checkpoint, processed: checkpoint, failed: 0, total: null, statements: [] });

describe('The log of a job', () => {
  let env: TestEnvironment;
  let worker: WorkerUnderTest;
  let organization: string;

  const as = <T>(work: (jobs: JobService) => Promise<T>) =>
    worker.asTenant(organization, () => work(worker.app.get(JobService)));
  const retry = (id: string) => worker.asTenant(organization, () => worker.app.get(DeadLetterService).retry(id));
  const create = (definition = TALK) => as((jobs) => jobs.create({ definition, payload: {} }));
  const reached = (id: string, state: JobState): Promise<Job> =>
    waitFor(
      async () => {
        const job = await as((jobs) => jobs.get(id));
        return job.state === state ? job : undefined;
      },
      { what: `the job to be ${state}` },
    );
  const log = (id: string, limit = 100) => as((jobs) => jobs.log(id, { limit }));
  const messages = async (id: string) => (await log(id)).map(({ message }) => message);

  beforeAll(async () => {
    env = await createTestEnvironment({ OUTBOX_POLL_MS: '50', QUEUE_LOCK_MS: '2000' });
    organization = (await createOrganization(env)).id;
    const handlers = [TalkHandler, AgainHandler];
    worker = await workerUnderTest({ config: env.config, jobs: [TALK, AGAIN], handlers });
    worker.start();
  });
  afterAll(async () => {
    await worker.close();
    await env.dispose();
  });

  it('keeps the lines of each step once, however often it was tried, in their order', async () => {
    let failures = 1;
    TalkHandler.script = async (context) => {
      for (let at = (context.checkpoint ?? 0) + 1; at <= 3; at += 1) {
        context.log('info', `Step ${at}`);
        if (at === 2 && failures-- > 0) throw new TypeError('secret detail');
        await step(context, at);
      }
      context.log('warn', 'Last words');
    };
    const { id } = await create();
    const done = await reached(id, 'completed');
    const lines = await log(id);
    expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'info Attempt 1 has started.',
      'info Step 1',
      'warn Attempt 1 failed, another one follows: The job failed on our side; its id names the log entries.',
      'info Attempt 2 has started.',
      'info Step 2',
      'info Step 3',
      'warn Last words',
      'info Completed.',
    ]);
    expect(lines.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(done.log_lines).toBe(8);
  });

  it('writes the lines of a job without checkpoints with its reports', async () => {
    const { id } = await create(AGAIN);
    await reached(id, 'completed');
    expect(await messages(id)).toEqual(['Attempt 1 has started.', 'Reported.', 'After the report.', 'Completed.']);
  });

  it('keeps the newest lines, cuts long ones, and holds any text', async () => {
    TalkHandler.script = async (context) => {
      for (let line = 1; line <= KEPT_LINES; line += 1) context.log('info', `Early ${line}`);
      await step(context, 1);
      for (let line = 1; line <= KEPT_LINES + 5; line += 1) context.log('info', `Late ${line}`);
      context.log('error', `\0${'x'.repeat(3_000)}`);
      context.log('info', 'half \ud800 of a pair');
      await step(context, 2);
    };
    const { id } = await create();
    await reached(id, 'completed');
    const lines = await log(id, 2_000);
    expect(lines).toHaveLength(KEPT_LINES);
    expect(lines[0]).toMatchObject({ line: 1 + KEPT_LINES + 2, message: 'Late 9' });
    expect(lines.at(-3)!.message).toBe(`${'x'.repeat(1_999)}…`);
    expect(lines.at(-2)!.message).toBe('half \ufffd of a pair');
  });

  it('goes with its job', async () => {
    TalkHandler.script = () => Promise.resolve();
    const { id } = await create();
    await reached(id, 'completed');
    await env.query('delete from jobs where id = $1', [id]);
    expect(await env.query('select from job_log where job_id = $1', [id])).toEqual([]);
  });

  describe('with a retry', () => {
    it('runs a failed job again from its checkpoint, with all of its attempts, though the queue still knows it', async () => {
      let broken = true;
      const seen: (number | null)[] = [];
      TalkHandler.script = async (context) => {
        seen.push(context.checkpoint);
        if (context.checkpoint === null) await step(context, 1);
        if (broken) throw new StockyardError({ code: 'no_way', category: 'invalid', message: 'No way.' });
        await step(context, 2);
      };
      const { id } = await create();
      expect(await reached(id, 'failed')).toMatchObject({ error: { code: 'no_way' }, processed: 1 });
      await retry(id);
      expect(await reached(id, 'failed')).toMatchObject({ round: 1, attempts: 1 });
      broken = false;
      expect(await retry(id)).toMatchObject({ state: 'queued', round: 2, error: null, attempts: 0 });
      expect(await reached(id, 'completed')).toMatchObject({ processed: 2, error: null });
      expect(seen).toEqual([null, 1, 1]);
      expect((await messages(id)).filter((message) => message === 'Queued again.')).toHaveLength(2);
    });

    it('lets a run of the round before change nothing any more', async () => {
      let release!: () => void;
      const held = new Promise<void>((resolve) => (release = resolve));
      let runs = 0;
      let stopped: unknown;
      TalkHandler.script = async (context) => {
        runs += 1;
        const run = runs;
        if (run === 1) await held;
        context.log('info', `Run ${run}`);
        await step(context, run).catch((error: unknown) => {
          stopped = error;
          throw error;
        });
      };
      const { id } = await create();
      await reached(id, 'running');
      await as((jobs) => jobs.cancel(id));
      await retry(id);
      await reached(id, 'completed');
      release();
      await waitFor(async () => stopped, { what: 'the end of the first run' });
      expect(stopped).toBeInstanceOf(JobSuperseded);
      expect((await messages(id)).filter((message) => message.startsWith('Run'))).toEqual(['Run 2']);
      expect(await reached(id, 'completed')).toMatchObject({ processed: 2 });
    });
  });
});
