/** The breaker of a connection as its workers live it: put off, opened, tried, closed; and slots that are free meanwhile. */
import { newId } from '#libs/kernel';
import { Directory } from '#libs/tenancy';
import { Client } from 'pg';
import { createTestEnvironment, ReferenceFeed, type TestEnvironment, waitFor } from '#libs/testing';
import { type WorkerUnderTest } from '../../../queues/test/worker-under-test';
import { expectedStock, openSyncWorker, rows, SYNC_VARIABLES, Syncing } from '../../test/syncing';
import { INVENTORY_SYNC } from './sync.job';

const PAUSE_MS = 1_200;

describe('The breaker of a connection', () => {
  let env: TestEnvironment;
  let workers: readonly [WorkerUnderTest, WorkerUnderTest];
  let feed: ReferenceFeed;
  let tenant: Syncing;

  beforeAll(async () => {
    env = await createTestEnvironment({
      ...SYNC_VARIABLES,
      SYNC_BREAKER_FAILURES: '3',
      SYNC_BREAKER_PAUSE_MS: String(PAUSE_MS),
      QUEUE_CONCURRENCY_CRITICAL: '1',
    });
    workers = [await openSyncWorker(env.config), await openSyncWorker(env.config)];
    workers[0].start();
  });
  afterAll(async () => {
    for (const worker of workers) await worker.close();
    await env.dispose();
  });
  beforeEach(async () => {
    feed = new ReferenceFeed();
    await feed.start();
    tenant = await Syncing.of(env, 100);
  });
  afterEach(() => feed.stop());

  /** A job that is in no queue: each run of it is made by hand. */
  async function insertJob(connection_id: string): Promise<string> {
    const id = newId();
    await env.query(
      `insert into jobs (organization_id, id, type, class, payload, actor_type) values ($1, $2, $3, 'critical', $4, 'system')`,
      [tenant.organization, id, INVENTORY_SYNC.type, { version: 1, data: { connection_id } }],
    );
    return id;
  }

  async function run(worker: WorkerUnderTest, id: string) {
    const reference = { job_id: id, organization_id: tenant.organization, type: INVENTORY_SYNC.type, version: 1 };
    return { ...(await worker.deliver(reference)), job: await tenant.job(id) };
  }

  it('opens after failures in a row; the job waits in the queue until then, and fails once', async () => {
    feed.rows.push(...rows(100));
    feed.interfere = () => ({ status: 503 });
    const id = await tenant.connect(feed.url);
    const asked = await tenant.ask(workers[0], id);
    const counted = new Set<number>();
    const job = await waitFor(
      async () => {
        counted.add((await tenant.connection(id)).breaker_failures);
        const found = await tenant.job(asked.id);
        return found.state === 'failed' ? found : undefined;
      },
      { what: 'the breaker to open', timeoutMs: 30_000, intervalMs: 20 },
    );
    expect([...counted].slice(0, 3)).toEqual([0, 1, 2]);
    expect(feed.calls).toHaveLength(3 * 3);
    expect(job).toMatchObject({
      attempts: 1,
      error: {
        code: 'source_failing',
        message: expect.stringMatching(/answered 503\. 3 failures in a row; .* asked again in \d+ s/),
      },
    });
    expect(await tenant.log(job.id)).toEqual([
      'Attempt 1 has started.',
      'The server answered 503.',
      'Attempt 1 has started.',
      'The server answered 503.',
      'Attempt 1 has started.',
      'The server answered 503.',
      expect.stringMatching(/^Attempt 1 failed, the job with it/),
    ]);
    expect(await env.query('select from dead_letters where job_id = $1', [job.id])).toHaveLength(1);
    const open = await tenant.connection(id);
    expect(open).toMatchObject({ breaker_state: 'open', breaker_failures: 3, breaker_openings: 1 });
    expect(open.last_failure_code).toBe('source_unavailable');
    expect(open.pause).toBeLessThanOrEqual(PAUSE_MS);

    const during = await tenant.sync(workers[0], id);
    expect(during).toMatchObject({ state: 'completed', attempts: 1, result: { outcome: 'breaker_open', rows: 0 } });
    expect(new Date(during.result.retry_at as string).getTime()).toBe(
      (
        await env.query<{ at: Date }>('select breaker_retry_at as at from connections where id = $1', [id])
      )[0]!.at.getTime(),
    );
    expect(feed.calls).toHaveLength(9);
  });

  it('tries once after the pause, doubles it where that fails, and closes where it does not', async () => {
    feed.rows.push(...rows(100));
    feed.interfere = () => 'reset';
    const id = await tenant.connect(feed.url, {
      ...{ breaker_state: 'open', breaker_failures: 3, breaker_openings: 1, breaker_retry_at: new Date() },
    });
    expect(await tenant.sync(workers[0], id)).toMatchObject({ state: 'failed', error: { code: 'source_failing' } });
    expect(feed.calls).toHaveLength(1);
    const again = await tenant.connection(id);
    expect(again).toMatchObject({
      breaker_state: 'open',
      breaker_failures: 4,
      breaker_openings: 2,
      breaker_trial: null,
    });
    expect(again.pause).toBeGreaterThan(PAUSE_MS);
    expect(again.pause).toBeLessThanOrEqual(2 * PAUSE_MS);
    feed.interfere = () => undefined;
    expect((await tenant.sync(workers[0], id)).result).toMatchObject({ outcome: 'breaker_open' });
    expect(feed.calls).toHaveLength(1);
    await tenant.change(id, 'breaker_retry_at = now()');
    expect((await tenant.sync(workers[0], id)).result).toMatchObject({ outcome: 'completed', rows: 100 });
    expect(await tenant.connection(id)).toMatchObject({
      ...{ breaker_state: 'closed', breaker_failures: 0, breaker_openings: 0, pause: null },
    });
    expect(await tenant.stock()).toEqual(expectedStock(100));
  });

  it('lets one of many try, in whichever worker', async () => {
    const arrived: (() => void)[] = [];
    feed.interfere = () => new Promise((resolve) => arrived.push(() => resolve(undefined)));
    const id = await tenant.connect(feed.url, {
      ...{ breaker_state: 'open', breaker_failures: 3, breaker_openings: 1, breaker_retry_at: new Date() },
    });
    await env.query("update connections set breaker_retry_at = now() - interval '1 second' where id = $1", [id]);
    const jobs = await Promise.all(Array.from({ length: 8 }, () => insertJob(id)));
    // All of them read that the pause is over before any of them can say that it tries.
    const holder = new Client({ connectionString: env.adminUrl });
    await holder.connect();
    await holder.query('begin');
    await holder.query('select from connections where id = $1 for update', [id]);
    const runs = jobs.map((job, index) => run(workers[index % 2]!, job));
    const blocked = () =>
      env.query("select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()");
    await waitFor(async () => (await blocked()).length === 8, { what: 'all of them to want to try' });
    await holder.query('rollback');
    await holder.end();
    await waitFor(() => arrived.length > 0, { what: 'a try' });
    await waitFor(async () => (await openJobs()) === 1, { what: 'the others to end' });
    expect(arrived).toHaveLength(1);
    arrived[0]!();
    const outcomes = (await Promise.all(runs)).map(({ job }) => job.result.outcome);
    expect(outcomes.sort()).toEqual([...Array<string>(7).fill('breaker_open'), 'completed']);
    expect((await tenant.connection(id)).breaker_state).toBe('closed');
  });

  const openJobs = async () =>
    (
      await env.query("select from jobs where organization_id = $1 and state in ('queued', 'running')", [
        tenant.organization,
      ])
    ).length;

  it('takes a trial that was lost for over, and lets the same job go on with its own', async () => {
    const values = { breaker_state: 'half_open', breaker_failures: 3, breaker_openings: 1, breaker_trial: newId() };
    const soon = new Date(Date.now() + 60_000);
    const id = await tenant.connect(feed.url, { ...values, breaker_retry_at: soon });
    expect((await tenant.sync(workers[0], id)).result).toMatchObject({ outcome: 'breaker_open' });
    await tenant.change(id, 'breaker_retry_at = now()');
    expect((await tenant.sync(workers[0], id)).result).toMatchObject({ outcome: 'completed' });
    const other = await tenant.connect(feed.url, { ...values, breaker_retry_at: soon });
    const job = await insertJob(other);
    await tenant.change(other, `breaker_trial = '${job}'`); // as the worker had left it that was lost
    expect((await run(workers[0], job)).job.result).toMatchObject({ outcome: 'completed' });
  });

  it('counts a page that is taken in as the end of the row of failures', async () => {
    feed.rows.push(...rows(100));
    feed.pageSize = 50;
    // Each page fails twice in a row as a whole, and comes at the third time.
    feed.interfere = ({ number }) => ((number - 1) % 7 < 6 ? { status: 500 } : undefined);
    const id = await tenant.connect(feed.url);
    const job = await insertJob(id);
    const kinds: string[] = [];
    for (let index = 0; index < 5; index += 1) kinds.push((await run(workers[0], job)).kind);
    expect(kinds).toEqual(['later', 'later', 'later', 'later', 'completed']);
    expect(await tenant.job(job)).toMatchObject({ attempts: 1, result: { pages: 2, rows: 100 } });
    expect(feed.calls).toHaveLength(14);
    expect(await tenant.connection(id)).toMatchObject({ breaker_state: 'closed', breaker_failures: 0 });
    expect(await tenant.stock()).toEqual(expectedStock(100));
  });

  it('waits as long as Retry-After says, not in the slot', async () => {
    feed.interfere = ({ number }) => (number === 1 ? { status: 429, headers: { 'retry-after': '3' } } : undefined);
    const id = await tenant.connect(feed.url);
    const times: number[] = [];
    const { interfere } = feed;
    feed.interfere = (call) => {
      times.push(performance.now());
      return interfere(call);
    };
    const waiting = await tenant.ask(workers[0], id);
    await waitFor(() => times.length === 1, { what: 'the first try' });
    const other = await tenant.connect(feed.url);
    expect((await tenant.sync(workers[0], other)).state).toBe('completed'); // the one slot is free
    expect((await tenant.job(waiting.id)).state).toBe('running');
    expect(await tenant.ended(waiting.id)).toMatchObject({ state: 'completed', attempts: 1 });
    expect(times[2]! - times[0]!).toBeGreaterThan(2_900);
  });

  it('holds a slot no longer than the bound of a page for a server that never answers', async () => {
    const mute = new ReferenceFeed();
    await mute.start();
    try {
      mute.interfere = () => 'hang';
      const [silent, good] = [await tenant.connect(mute.url), await tenant.connect(feed.url)];
      const first = await tenant.ask(workers[0], silent);
      await waitFor(() => mute.calls.length > 0, { what: 'the slot to be taken' });
      const began = performance.now();
      expect((await tenant.sync(workers[0], good)).state).toBe('completed');
      expect(performance.now() - began).toBeLessThan(3 * Number(SYNC_VARIABLES.SYNC_TRY_MS) + 800);
      expect(await tenant.ended(first.id)).toMatchObject({ state: 'failed', attempts: 1 });
      expect(mute.calls.length).toBeLessThanOrEqual(9);
    } finally {
      await mute.stop();
    }
  });

  it('is of the organization alone: another one’s connection to the same server is not touched', async () => {
    const other = await Syncing.of(env, 10);
    workers[0].app.get(Directory).forget(other.organization);
    feed.rows.push(...rows(10));
    const broken = await tenant.connect(feed.url, {
      ...{
        breaker_state: 'open',
        breaker_failures: 3,
        breaker_openings: 9,
        breaker_retry_at: new Date(Date.now() + 60_000),
      },
    });
    const whole = await other.connect(feed.url);
    expect((await other.sync(workers[0], whole)).result).toMatchObject({ outcome: 'completed', rows: 10 });
    expect((await tenant.sync(workers[0], broken)).result).toMatchObject({ outcome: 'breaker_open' });
  });
});
