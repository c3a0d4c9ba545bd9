/** Jobs and requests through the real relay, BullMQ, workers and shard, to which the way becomes long: what a busy one looks like. */
import { loadConfig } from '#libs/config';
import { closed, shape } from '#libs/kernel';
import { MetricsRegistry } from '#libs/observability';
import { createOrganization, createTestEnvironment, type TestEnvironment, waitFor, Way } from '#libs/testing';
import { Queue } from 'bullmq';
import Type from 'typebox';
import { RequestsElsewhere } from '../../test/requests-elsewhere';
import { type WorkerUnderTest, workerUnderTest } from '../../test/worker-under-test';
import {
  defineJob,
  HandlesJob,
  type Job,
  type JobContext,
  type JobDefinition,
  type JobHandler,
  JobService,
  queuePrefix,
} from '..';
import { LEAST } from './delay-pace';
import { HOLD_MS, LONGEST_REST_MS } from './pace-gate';

jest.setTimeout(120_000); // a job may have a tenth of the time

const SLOTS = 3;
const LONG_WAY_MS = 100;
const TIMEOUT_MS = 3_000;

const NAME = shape(closed({ name: Type.String() }));
type Payload = { name: string };
const LOAD = defineJob({ type: 'pace.load', class: 'bulk', version: 1, payload: NAME });
const URGENT = defineJob({ type: 'pace.urgent', class: 'critical', version: 1, payload: NAME });
const STEPS = defineJob({
  ...({ type: 'pace.steps', class: 'bulk', version: 1, payload: NAME } as const),
  ...{ timeoutMs: TIMEOUT_MS, attempts: 1 },
});

interface Run {
  readonly name: string;
  readonly beganAt: number;
  endedAt: number;
}

const runs: Run[] = [];
let during: (context: JobContext<Payload, number>) => Promise<void> = () => Promise.resolve();

/** Its own class for each type, as a handler belongs to one. */
abstract class Recording implements JobHandler<Payload, number> {
  async run(context: JobContext<Payload, number>) {
    const run: Run = { name: context.payload.name, beganAt: performance.now(), endedAt: Infinity };
    runs.push(run);
    await during(context);
    run.endedAt = performance.now();
    return {};
  }
}

@HandlesJob(LOAD)
class LoadHandler extends Recording {}
@HandlesJob(URGENT)
class UrgentHandler extends Recording {}
@HandlesJob(STEPS)
class StepsHandler extends Recording {}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve())));
const named = (name: string) => runs.filter((run) => run.name === name);

/** Steps as long as it is asked for. */
async function walk(context: JobContext<Payload, number>, goesOn: (step: number) => boolean): Promise<void> {
  for (let step = 1; goesOn(step); step += 1) {
    await context.commit({ checkpoint: step, processed: step, failed: 0, total: null, statements: [] });
  }
}

/** Jobs at once, at most. */
function mostAtOnce(of: readonly Run[]): number {
  return Math.max(
    ...of.map(({ beganAt }) => of.filter((run) => run.beganAt <= beganAt && run.endedAt > beganAt).length),
  );
}

describe('jobs that nobody waits for', () => {
  let env: TestEnvironment;
  let way: Way;
  let requests: RequestsElsewhere;
  let worker: WorkerUnderTest;
  let organization: string;
  let queue: Queue;

  const start = async (variables: Readonly<Record<string, string>> = {}) => {
    const config = loadConfig({ ...env.variables, DATABASE_URL: way.url, ...variables });
    const handlers = [LoadHandler, UrgentHandler, StepsHandler];
    worker = await workerUnderTest({ config, jobs: [LOAD, URGENT, STEPS], handlers });
    worker.start();
  };
  const add = async (definition: JobDefinition<Payload>, ...names: readonly string[]) =>
    Promise.all(
      names.map((name) =>
        worker.asTenant(organization, () => worker.app.get(JobService).create({ definition, payload: { name } })),
      ),
    );
  const ended = (count: number) =>
    waitFor(() => runs.filter(({ endedAt }) => endedAt < Infinity).length >= count, {
      ...{ what: `${count} jobs to end`, timeoutMs: 30_000 },
    });
  const rows = () => env.query<Job>("select * from jobs where payload #>> '{data,name}' <> 'warm' order by id");
  const width = async () => {
    const text = await worker.app.get(MetricsRegistry).text();
    return Number(/^stockyard_job_pace_width\{shard="main"\} (\S+)$/m.exec(text)?.[1]);
  };

  /** The pace has seen the shard as it is alone, and then the way becomes long. */
  const becomeSlow = async () => {
    let warm = true;
    during = (context) => walk(context, () => warm);
    await add(LOAD, 'warm');
    await waitFor(async () => (await width()) >= 1, { what: 'jobs to get wide', timeoutMs: 60_000 });
    way.becomeLong(LONG_WAY_MS);
    await waitFor(async () => (await width()) === LEAST, { what: 'jobs to give way', timeoutMs: 20_000 });
    warm = false;
    await ended(1);
    runs.length = 0;
  };

  /** Runs that wait for each other: resolves when all are inside at once. */
  const meeting = (count: number) => {
    let meet: () => void = () => undefined;
    const met = new Promise<void>((resolve) => (meet = resolve));
    during = () => {
      if (runs.length === count) meet();
      return met;
    };
  };

  beforeEach(async () => {
    env = await createTestEnvironment({
      ...{ OUTBOX_POLL_MS: '50', QUEUE_CONCURRENCY_BULK: String(SLOTS), JOB_PACE_DELAY_MS: '30' },
    });
    organization = (await createOrganization(env, { tier: 'enterprise' })).id;
    way = new Way(env.variables.DATABASE_URL!);
    await way.open();
    requests = new RequestsElsewhere(env.config);
    queue = new Queue('bulk', { connection: { url: env.config.REDIS_URL }, prefix: queuePrefix(env.config, 'bulk') });
    runs.length = 0;
  });

  afterEach(async () => {
    await worker.close();
    requests.close();
    await queue.close();
    await way.cut();
    await env.dispose();
  });

  it('run one at a time and rest, while there are requests and the shard is slow; urgent ones run at once', async () => {
    await requests.come(50);
    await start();
    await becomeSlow();
    during = async ({ payload }) => {
      if (payload.name === 'urgent') await waitFor(() => named('urgent').length === SLOTS, { what: 'all urgent ones' });
      else await sleep(300);
    };
    await add(LOAD, 'load', 'load', 'load', 'load');
    await add(URGENT, ...Array<string>(SLOTS).fill('urgent'));
    await ended(4 + SLOTS);
    const [loads, urgent] = [named('load'), named('urgent')];
    expect(mostAtOnce(loads)).toBe(1);
    for (const [index, { beganAt }] of loads.slice(1).entries()) {
      // One long way to its end, one to the beginning of the next, and three times as long as it took is more than the longest rest.
      expect(beganAt - loads[index]!.endedAt).toBeGreaterThan(LONGEST_REST_MS + 2 * LONG_WAY_MS - 10);
    }
    expect(mostAtOnce(urgent)).toBe(SLOTS);
    expect(urgent[SLOTS - 1]!.beganAt - urgent[0]!.beganAt).toBeLessThan(HOLD_MS / 2);
    expect(urgent[SLOTS - 1]!.endedAt).toBeLessThan(loads[3]!.beganAt);
  });

  it('run as wide as configured without requests, however slow the shard is', async () => {
    await start();
    way.becomeLong(LONG_WAY_MS);
    meeting(SLOTS);
    await add(LOAD, 'load', 'load', 'load');
    await ended(SLOTS);
    expect(runs[SLOTS - 1]!.beganAt - runs[0]!.beganAt).toBeLessThan(HOLD_MS / 2);
    expect(await width()).toBeNaN(); // nobody has asked
  });

  it('run as wide as configured with JOB_PACE_DELAY_MS=0', async () => {
    await requests.come(50);
    await start({ JOB_PACE_DELAY_MS: '0' });
    meeting(SLOTS);
    await add(LOAD, 'load', 'load', 'load');
    await ended(SLOTS);
    expect(runs[SLOTS - 1]!.beganAt - runs[0]!.beganAt).toBeLessThan(HOLD_MS / 2);
  });

  it('go back as they were when their worker stops before their turn', async () => {
    await requests.come(50);
    await start();
    await becomeSlow();
    during = ({ signal }) => aborted(signal);
    await add(LOAD, 'a', 'b', 'c');
    await waitFor(async () => (await queue.getActiveCount()) === SLOTS && runs.length === 1, { what: 'one of three' });
    const began = performance.now();
    await worker.close();
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(runs).toHaveLength(1);
    const waited = (await rows()).filter(({ payload }) => (payload.data as Payload).name !== runs[0]!.name);
    const untouched = { state: 'queued', attempts: 0, log_lines: '0' };
    expect(waited).toMatchObject([untouched, untouched]);
    expect(await queue.getActiveCount()).toBe(0);
  });

  it('let others in between their steps, and have the time that is theirs without that in which they wait', async () => {
    await requests.come(50);
    await start();
    await becomeSlow();
    const steps = 12; // without a turn between them they would take less than HOLD_MS
    let done = 0;
    let doneAtShort: number | undefined;
    during = (context) => {
      if (context.payload.name === 'short') {
        doneAtShort = done;
        return Promise.resolve();
      }
      return walk(context, (step) => (done = step - 1) < steps);
    };
    const [longJob] = await add(STEPS, 'long');
    await waitFor(() => runs.length === 1, { what: 'the long one' });
    await add(LOAD, 'short');
    await ended(2);
    const [long] = named('long');
    expect(doneAtShort).toBeLessThan(steps - 2);
    expect(long!.endedAt - long!.beganAt).toBeGreaterThan(TIMEOUT_MS);
    await waitFor(async () => (await rows()).find((job) => job.id === longJob!.id)?.state === 'completed', {
      what: 'its end',
    });
  });
});
