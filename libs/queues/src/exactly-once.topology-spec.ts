/**
 * 10,000 jobs of ten tenants, while two workers (each with its relay) and the Redis of the queues are killed at random: every effect
 * once. Redis appends what it gets to a file, as the operations guide says, and loses up to a second of it each time.
 */
import { newId } from '#libs/kernel';
import { TenantDatabase } from '#libs/database';
import {
  createOrganization,
  createTestEnvironment,
  type LocalRedis,
  startLocalRedis,
  type TestEnvironment,
} from '#libs/testing';
import { COUNTING } from '../test/counting-job';
import { KillableProcess } from '../test/killable-process';
import { type WorkerUnderTest, workerUnderTest } from '../test/worker-under-test';
import { JobService } from './jobs/job.service';

const JOBS = 10_000;
const TENANTS = 10;
const BATCH = 50;
const KILLS = 24;
const TIMEOUT_MS = 420_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('10,000 jobs under random kills', () => {
  let env: TestEnvironment;
  let redis: LocalRedis;
  let producer: WorkerUnderTest;
  let variables: Readonly<Record<string, string>>;
  const workers: KillableProcess[] = [];

  beforeAll(async () => {
    redis = await startLocalRedis({ persistent: true });
    env = await createTestEnvironment({ REDIS_URL: redis.url, OUTBOX_POLL_MS: '100', QUEUE_LOCK_MS: '2000' });
    variables = env.variables;
    producer = await workerUnderTest({ config: env.config, jobs: [COUNTING], handlers: [] });
  }, 60_000);

  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.kill()));
    await producer.close();
    await env.dispose();
    await redis.remove();
  });

  const create = async (organizationId: string, jobs: number) => {
    for (let made = 0; made < jobs; made += BATCH) {
      await producer.asTenant(organizationId, async () => {
        const service = producer.app.get(JobService);
        const statements = Array.from(
          { length: BATCH },
          () => service.prepare({ definition: COUNTING, payload: {} }).statements,
        );
        await producer.app.get(TenantDatabase).batch(statements.flat());
      });
    }
  };
  const count = async (sql: string) => (await env.query<{ n: number }>(`select count(*)::int as n from ${sql}`))[0]!.n;

  it(
    'happen once each',
    async () => {
      const tenants = await Promise.all(
        Array.from({ length: TENANTS }, () => createOrganization(env, { slug: `count-${newId().slice(-12)}` })),
      );
      workers.push(
        ...(await Promise.all([
          KillableProcess.start('counting-worker', variables),
          KillableProcess.start('counting-worker', variables),
        ])),
      );
      const creating = Promise.all(tenants.map(({ id }) => create(id, JOBS / TENANTS)));
      const killed = { worker: 0, redis: 0 };
      const open = () => count("jobs where type = 'test.counting' and state in ('queued', 'running')");
      for (let kill = 0; kill < KILLS; kill += 1) {
        await pause(300 + Math.random() * 1_200);
        const victim = Math.floor(Math.random() * 3);
        if (victim === 2) {
          killed.redis += 1;
          await redis.kill('SIGKILL');
          await pause(Math.random() * 500);
          await redis.start();
        } else {
          killed.worker += 1;
          await workers[victim]!.kill();
          workers[victim] = await KillableProcess.start('counting-worker', variables);
        }
      }
      await creating;
      const until = Date.now() + TIMEOUT_MS - 120_000;
      while ((await open()) > 0 && Date.now() < until) await pause(500);
      process.stdout.write(
        `exactly once: ${killed.worker} workers and ${killed.redis} times Redis killed during ${JOBS} jobs\n`,
      );
      expect(await count("jobs where type = 'test.counting' and state = 'completed'")).toBe(JOBS);
      expect(await count('locations where not is_default')).toBe(JOBS);
      expect(
        await count('(select from locations where not is_default group by name having count(*) > 1) doubled'),
      ).toBe(0);
    },
    TIMEOUT_MS,
  );
});
