/** Worker processes that are lost in the middle of a sync: nothing is doubled, nothing is left out. */
import {
  expectedStock,
  openSyncWorker,
  row,
  rows,
  sku,
  SYNC_VARIABLES,
  Syncing,
} from '../../../libs/connections/test/syncing';
import type { WorkerUnderTest } from '../../../libs/queues/test/worker-under-test';
import { createTestEnvironment, freePort, ReferenceFeed, type TestEnvironment, waitFor } from '#libs/testing';
import { Client } from 'pg';
import { WorkerProcess } from './worker-process';

const ROWS = 2_000;

describe('A worker process that is lost in the middle of a sync', () => {
  let env: TestEnvironment;
  let producer: WorkerUnderTest;
  let tenant: Syncing;
  let holder: Client;
  let feed: ReferenceFeed;
  let variables: Record<string, string>;
  let worker: WorkerProcess | undefined;

  beforeEach(async () => {
    env = await createTestEnvironment({
      ...{ ...SYNC_VARIABLES, SYNC_TRY_MS: '20000', QUEUE_LOCK_MS: '2000', SHUTDOWN_GRACE_MS: '5000' },
    });
    variables = { ...env.variables, WORKER_PORT: String(await freePort()) };
    feed = new ReferenceFeed();
    await feed.start();
    producer = await openSyncWorker(env.config); // never started: it only makes jobs
    tenant = await Syncing.of(env, ROWS);
    holder = new Client({ connectionString: env.adminUrl });
    await holder.connect();
  });
  afterEach(async () => {
    await worker?.kill('SIGKILL');
    await holder.end();
    await producer.close();
    await feed.stop();
    await env.dispose();
  });

  /** Holds the level of a product, so that the page with it cannot commit. */
  const hold = async (index: number) => {
    await env.query(
      `insert into stock_levels (organization_id, product_id, location_id)
       select p.organization_id, p.id, l.id from products p join locations l using (organization_id)
       where p.organization_id = $1 and p.sku = $2`,
      [tenant.organization, sku(index)],
    );
    await holder.query('begin');
    await holder.query(
      `select from stock_levels s join products p on p.id = s.product_id where s.organization_id = $1 and p.sku = $2
       for update of s`,
      [tenant.organization, sku(index)],
    );
  };
  const blocked = (pages: number) =>
    waitFor(
      async () => {
        const waiting = await env.query(
          "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
        );
        return waiting.length >= pages;
      },
      { what: `${pages} pages to wait`, timeoutMs: 30_000 },
    );
  /** The third page cannot commit. */
  const halfWay = async () => {
    feed.rows.push(...rows(ROWS));
    worker = await WorkerProcess.start(variables);
    await hold(1_200);
    const connectionId = await tenant.connect(feed.url);
    const { id } = await tenant.ask(producer, connectionId);
    await blocked(1);
    expect(await tenant.job(id)).toMatchObject({ state: 'running', processed: '1000' });
    expect((await tenant.connection(connectionId)).cursor).toBe('from-1000');
    return { id, connectionId };
  };
  const everythingOnce = async ({ id, connectionId }: { id: string; connectionId: string }) => {
    expect(await tenant.ended(id)).toMatchObject({
      ...{ state: 'completed', attempts: 1, processed: String(ROWS) },
      result: { outcome: 'completed', pages: 4, rows: ROWS, failed: 0 },
    });
    expect(await tenant.stock()).toEqual(expectedStock(ROWS));
    expect(await tenant.connection(connectionId)).toMatchObject({ cursor: `from-${ROWS}`, breaker_state: 'closed' });
  };

  it('is followed by another one: the page that had been sent commits behind its back, once', async () => {
    const sync = await halfWay();
    await worker!.kill('SIGKILL');
    await holder.query('rollback');
    worker = await WorkerProcess.start(variables);
    await everythingOnce(sync);
  });

  it('is followed by another one while its page still hangs', async () => {
    const sync = await halfWay();
    await worker!.kill('SIGKILL');
    worker = await WorkerProcess.start(variables);
    await blocked(2);
    await holder.query('rollback');
    await everythingOnce(sync);
  });

  it('is followed by another one, which asks again for the page that was lost with it', async () => {
    const sync = await halfWay();
    await worker!.kill('SIGKILL');
    await env.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
    );
    await holder.query('rollback');
    expect(await tenant.job(sync.id)).toMatchObject({ processed: '1000' });
    worker = await WorkerProcess.start(variables);
    await everythingOnce(sync);
    const asked = feed.calls.map(({ cursor }) => cursor);
    expect(asked).toEqual([null, 'from-500', 'from-1000', 'from-1000', 'from-1500']);
  });

  it('hands over at once when it is stopped while it waits for the outside system', async () => {
    feed.rows.push(...rows(ROWS));
    feed.interfere = ({ number }) => (number === 3 ? 'hang' : undefined);
    worker = await WorkerProcess.start(variables);
    const connectionId = await tenant.connect(feed.url);
    const { id } = await tenant.ask(producer, connectionId);
    await waitFor(() => feed.calls.length === 3, { what: 'the third page to be asked for' });
    const began = performance.now();
    expect(await worker.kill('SIGTERM')).not.toBe(1); // as it would where a step had not come to its end
    expect(performance.now() - began).toBeLessThan(4_000); // and not the 20 s of a try
    expect((await tenant.job(id)).state).toBe('queued');
    expect(await tenant.connection(connectionId)).toMatchObject({ cursor: 'from-1000', breaker_failures: 0 });
    worker = await WorkerProcess.start(variables);
    await everythingOnce({ id, connectionId });
  });

  it('leaves its line errors and counts as they were committed', async () => {
    const broken = new Set([10, 700, 1_100, 1_900]);
    feed.rows.push(...rows(ROWS).map((each, index) => (broken.has(index) ? { ...each, sku: `X${index}` } : each)));
    feed.interfere = ({ number }) => (number === 4 ? 'hang' : undefined);
    worker = await WorkerProcess.start(variables);
    const { id } = await tenant.ask(producer, await tenant.connect(feed.url));
    await waitFor(() => feed.calls.length === 4, { what: 'the fourth page to be asked for' });
    await worker.kill('SIGKILL');
    worker = await WorkerProcess.start(variables);
    expect(await tenant.ended(id)).toMatchObject({
      state: 'completed',
      attempts: 1,
      result: { rows: ROWS, failed: 4 },
    });
    expect((await tenant.lineErrors(id)).map(({ line }) => line)).toEqual([11, 701, 1_101, 1_901]);
    const stock = await tenant.stock();
    expect(stock).toHaveLength(ROWS - 4);
    expect(stock.every((each) => each.movements === 1 && each.on_hand === each.moved)).toBe(true);
    expect(stock[0]).toMatchObject(row(0));
  });
});
