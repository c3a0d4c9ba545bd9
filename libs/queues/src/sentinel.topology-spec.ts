/**
 * The queues on a Redis with Sentinels, which are started as deploy/sentinel starts them: while jobs are made and done, the master is
 * killed, jobs are missing on the one that takes over, the old one comes back, and the new one freezes. Each job is done once all the
 * same. Prints how long nothing was done.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { TenantDatabase } from '#libs/database';
import { createOrganization, createTestEnvironment, Sentinels, type TestEnvironment, waitFor } from '#libs/testing';
import { Queue } from 'bullmq';
import { COUNTING, CountingHandler } from '../test/counting-job';
import { type WorkerUnderTest, workerUnderTest } from '../test/worker-under-test';
import { queuePrefix, workerConnection } from './connection/queue-connection';
import { JobService } from './jobs/job.service';

const BATCH = 5;
const EVERY_MS = 50;
/** As in production it would be 5,000; a failover takes a second or two more. */
const DOWN_AFTER_MS = 2_000;
/** Beyond the failover. */
const LATER_MS = 15_000;
const TIMEOUT_MS = 180_000;

describe('queues on a Redis with Sentinels', () => {
  let sentinels: Sentinels;
  let env: TestEnvironment;
  let worker: WorkerUnderTest;
  let queue: Queue;
  let organizationId: string;
  let made = 0;

  beforeAll(async () => {
    sentinels = await Sentinels.start({ downAfterMs: DOWN_AFTER_MS });
    env = await createTestEnvironment({ REDIS_URL: sentinels.url, OUTBOX_POLL_MS: '100', QUEUE_LOCK_MS: '2000' });
    organizationId = (await createOrganization(env, { tier: 'enterprise' })).id;
    worker = await workerUnderTest({ config: env.config, jobs: [COUNTING], handlers: [CountingHandler] });
    const { class: jobClass } = COUNTING;
    const [connection, prefix] = [workerConnection(env.config, jobClass), queuePrefix(env.config, jobClass)];
    queue = new Queue(jobClass, { connection, prefix });
    queue.on('error', () => undefined);
  }, TIMEOUT_MS);

  afterAll(async () => {
    await queue.close();
    await worker.close();
    await env.dispose();
    await sentinels.remove();
  }, TIMEOUT_MS);

  const make = (runAt?: Date) =>
    worker.asTenant(organizationId, async () => {
      const service = worker.app.get(JobService);
      const options = { definition: COUNTING, payload: {}, ...(runAt && { runAt }) };
      const jobs = Array.from({ length: BATCH }, () => service.prepare(options));
      await worker.app.get(TenantDatabase).batch(jobs.flatMap(({ statements }) => statements));
      made += BATCH;
    });
  const count = async (sql: string) => (await env.query<{ n: number }>(`select count(*)::int as n from ${sql}`))[0]!.n;
  const jobs = (condition: string) => count(`jobs where type = 'test.counting' and ${condition}`);

  /** Until jobs that are made from now on are done. */
  const untilResumed = async () => {
    const [began, now] = [performance.now(), new Date().toISOString()];
    const isDone = async () => (await jobs(`state = 'completed' and created_at > '${now}'`)) > 0;
    await waitFor(isDone, { what: 'jobs to be done again', timeoutMs: 60_000 });
    return performance.now() - began;
  };

  /** Makes jobs until it is ended. */
  const makingJobs = () => {
    const ended = new AbortController();
    const work = async () => {
      while (!ended.signal.aborted) {
        await make();
        await pause(EVERY_MS);
      }
    };
    const working = work();
    return {
      end: () => {
        ended.abort();
        return working;
      },
    };
  };

  /** Jobs that are due later; those that are set aside for a moment show as delayed too. */
  const later = async () => (await queue.getJobs('delayed')).filter(({ delay }) => delay > LATER_MS / 2);

  const makeForLater = async () => {
    await make(new Date(Date.now() + LATER_MS));
    await waitFor(async () => (await later()).length === BATCH, { what: 'the queue to have them', intervalMs: 20 });
  };

  /** As on a replica that lacked them when it took over. Answers how many. */
  const loseThem = async () => {
    const found = await later();
    await Promise.all(found.map((job) => job.remove()));
    return found.length;
  };

  it(
    'are worked off, each job once, while one master is killed and the next one freezes',
    async () => {
      const load = makingJobs();
      worker.start();
      await untilResumed();

      await makeForLater();
      const killed = await sentinels.master();
      await killed.kill('SIGKILL');
      const killedMs = await untilResumed();
      expect(await loseThem()).toBe(BATCH);
      await killed.start();
      await sentinels.settled();
      expect(await sentinels.master()).not.toBe(killed);

      const frozen = await sentinels.master();
      await frozen.kill('SIGSTOP');
      const frozenMs = await untilResumed();
      await frozen.kill('SIGCONT');
      await sentinels.settled();
      expect(await sentinels.master()).not.toBe(frozen);
      await load.end();

      const left = () => jobs("state in ('queued', 'running')");
      await waitFor(async () => (await left()) === 0, { what: 'the last job', timeoutMs: 60_000 });
      expect(await jobs("state = 'completed'")).toBe(made);
      expect(await count('locations where not is_default')).toBe(made);
      expect(await count('(select distinct name from locations where not is_default) names')).toBe(made);
      const open = () => queue.getJobCountByTypes('waiting', 'prioritized', 'active', 'delayed');
      await waitFor(async () => (await open()) === 0, { what: 'the queue to be empty', timeoutMs: 30_000 });

      const [first, second] = [killedMs, frozenMs].map((ms) => (ms / 1_000).toFixed(1));
      process.stdout.write(
        `sentinel: ${made} jobs once each; done again ${first} s after the master was killed, ${second} s after the next one froze ` +
          `(away after ${DOWN_AFTER_MS / 1_000} s); ${BATCH} jobs that were lost were put back from their rows\n`,
      );
    },
    TIMEOUT_MS,
  );
});
