/** Syncs in a worker, against a reference of an outside system that answers well and badly. */
import { gzipSync } from 'node:zlib';
import { newId } from '#libs/kernel';
import {
  createTestEnvironment,
  type FeedAnswer,
  type Fault,
  ReferenceFeed,
  type TestEnvironment,
  waitFor,
} from '#libs/testing';
import { type WorkerUnderTest } from '../../../queues/test/worker-under-test';
import { expectedStock, openSyncWorker, row, rows, sku, SYNC_VARIABLES, Syncing } from '../../test/syncing';
import { ConnectionService } from '../connection.service';
import { PAGE_BYTES } from './feed-page';
import { SyncHandler } from './sync.handler';

describe('A sync', () => {
  let env: TestEnvironment;
  let worker: WorkerUnderTest;
  let feed: ReferenceFeed;
  let tenant: Syncing;

  beforeAll(async () => {
    env = await createTestEnvironment({ ...SYNC_VARIABLES, SYNC_BREAKER_FAILURES: '1' });
    worker = await openSyncWorker(env.config);
    worker.start();
  });
  afterAll(async () => {
    await worker.close();
    await env.dispose();
  });
  beforeEach(async () => {
    feed = new ReferenceFeed();
    await feed.start();
    tenant = await Syncing.of(env, 1_300);
  });
  afterEach(() => feed.stop());

  const as = <T>(work: (connections: ConnectionService) => Promise<T>) =>
    worker.asTenant(tenant.organization, () => work(worker.app.get(ConnectionService)));

  it('takes in page after page, keeps the cursor, and brings what is new the next time', async () => {
    feed.rows.push(...rows(1_300));
    const id = await tenant.connect(feed.url);
    const job = await tenant.sync(worker, id);
    expect(job).toMatchObject({
      ...{ state: 'completed', attempts: 1, processed: '1300', failed: '0' },
      result: { connection_id: id, outcome: 'completed', pages: 3, rows: 1_300, failed: 0 },
    });
    expect(feed.calls.map(({ cursor, limit }) => [cursor, limit])).toEqual([
      [null, 500],
      ['from-500', 500],
      ['from-1000', 500],
    ]);
    expect(await tenant.stock()).toEqual(expectedStock(1_300));
    expect(await tenant.connection(id)).toMatchObject({
      ...{ cursor: 'from-1300', last_job_id: job.id, last_failure_code: null, breaker_state: 'closed' },
      last_success_at: expect.any(Date),
    });
    feed.rows.push({ sku: sku(0), on_hand: 0 }, { sku: sku(1), on_hand: 2 }, { sku: sku(1), on_hand: 50 });
    expect((await tenant.sync(worker, id)).result).toMatchObject({ rows: 3, pages: 1 });
    const [first, second, third] = await tenant.stock();
    expect(first).toMatchObject({ on_hand: 0, moved: 0, movements: 2 });
    expect(second).toMatchObject({ on_hand: 50, moved: 50, movements: 2 });
    expect(third).toMatchObject({ movements: 1 });
    expect((await tenant.sync(worker, id)).result).toMatchObject({ outcome: 'completed', rows: 0 });
  });

  it('counts at the location of the row, of the connection, or at the default one, when the row says', async () => {
    for (const code of ['HALL', 'SHOP']) {
      await env.query('insert into locations (organization_id, id, code, name) values ($1, $2, $3, $3)', [
        ...[tenant.organization, newId(), code],
      ]);
    }
    feed.rows.push({ ...row(0), occurred_at: '2026-01-02T03:04:05Z' }, { ...row(1), location: 'SHOP' });
    await tenant.sync(worker, await tenant.connect(feed.url, { location: 'HALL' }));
    await tenant.sync(worker, await tenant.connect(feed.url));
    const moved = await env.query<{ sku: string; code: string; at: Date }>(
      `select p.sku, l.code, m.occurred_at as at from stock_movements m
       join products p on p.id = m.product_id join locations l on l.id = m.location_id
       where m.organization_id = $1 order by m.id`,
      [tenant.organization],
    );
    expect(moved.map((each) => [each.sku, each.code])).toEqual([
      [sku(0), 'HALL'],
      [sku(1), 'SHOP'],
      [sku(0), 'MAIN'],
    ]);
    expect(moved[0]!.at.toISOString()).toBe('2026-01-02T03:04:05.000Z');
    expect(Date.now() - moved[1]!.at.getTime()).toBeLessThan(60_000);
  });

  it('leaves broken rows out, lists them by number and SKU, and takes the others in', async () => {
    const bad: Record<number, object> = {
      3: { sku: sku(3), on_hand: -1 },
      499: { on_hand: 5 },
      500: { sku: 'NO-SUCH', on_hand: 5 },
      777: { sku: sku(777), on_hand: 5, location: 'NOWHERE' },
    };
    feed.rows.push(...rows(1_000).map((each, index) => (bad[index] ?? each) as typeof each));
    const job = await tenant.sync(worker, await tenant.connect(feed.url));
    expect(job.result).toMatchObject({ outcome: 'completed', rows: 1_000, failed: 4 });
    expect(await tenant.lineErrors(job.id)).toEqual([
      { line: 4, code: 'invalid_value', message: expect.stringMatching(/^on_hand .* SKU SKU-00003\.$/) },
      { line: 500, code: 'missing_field', message: 'sku is required.' },
      { line: 501, code: 'unknown_product', message: 'No product has this SKU. SKU NO-SUCH.' },
      { line: 778, code: 'unknown_location', message: 'No active location has this code. SKU SKU-00777.' },
    ]);
    expect(await tenant.stock()).toHaveLength(996);
  });

  it('does not count below what is promised', async () => {
    feed.rows.push(row(5));
    const id = await tenant.connect(feed.url);
    await tenant.sync(worker, id);
    await env.query('update stock_levels set allocated = 4, available = available - 4 where organization_id = $1', [
      tenant.organization,
    ]);
    feed.rows.push({ sku: sku(5), on_hand: 3 });
    const job = await tenant.sync(worker, id);
    expect(await tenant.lineErrors(job.id)).toMatchObject([{ line: 1, code: 'count_below_committed' }]);
    expect((await tenant.stock())[0]!.on_hand).toBe(6);
  });

  describe('tries again within a page', () => {
    it.each<[string, FeedAnswer | Fault]>([
      ['503', { status: 503 }],
      ['500', { status: 500, headers: { 'retry-after': 'nonsense' } }],
      ['429 with Retry-After', { status: 429, headers: { 'retry-after': '0' } }],
      ['408', { status: 408 }],
      ['a reset', 'reset'],
      ['an answer that breaks off', 'cut'],
    ])('after %s, and then goes on', async (_what, instead) => {
      feed.rows.push(...rows(10));
      feed.interfere = ({ number }) => (number === 1 ? instead : undefined);
      const id = await tenant.connect(feed.url);
      const job = await tenant.sync(worker, id);
      expect([job.state, job.attempts, feed.calls.length]).toEqual(['completed', 1, 2]);
      expect(await tenant.connection(id)).toMatchObject({ last_failure_code: null, breaker_failures: 0 });
    });
  });

  describe('fails at once, without another try, on', () => {
    const page = (body: unknown, headers = {}): FeedAnswer => ({ body, headers });
    it.each<[string, FeedAnswer | Fault, string, RegExp]>([
      ['400', { status: 400 }, 'source_refused', /answered 400/],
      ['401', { status: 401, body: 'secret inside' }, 'source_refused', /answered 401; check the url and the secrets/],
      ['404', { status: 404 }, 'source_refused', /answered 404/],
      ['410 at the beginning', { status: 410 }, 'cursor_refused', /410/],
      ['a redirect', { status: 302, headers: { location: 'http://10.0.0.1/' } }, 'source_redirects', /302, a redirect/],
      ['204', { status: 204 }, 'bad_page', /answered 204/],
      ['what is not JSON', page('<html>'), 'bad_page', /not JSON/],
      ['another type', page('{}', { 'content-type': 'text/html' }), 'bad_page', /"text\/html"/],
      ['another frame', page({ items: [] }), 'bad_page', /data is required/],
      ['too many rows', page({ data: rows(501), has_more: false }), 'bad_page', /501 rows/],
      ['too many bytes', page(' '.repeat(PAGE_BYTES + 1)), 'outbound_too_large', /more than 4194304 bytes/],
      [
        'a small page that unpacks to too many',
        page(gzipSync(' '.repeat(PAGE_BYTES + 1)), { 'content-encoding': 'gzip' }),
        'outbound_too_large',
        /more than 4194304 bytes/,
      ],
    ])('%s', async (_what, instead, code, message) => {
      feed.interfere = () => instead;
      const id = await tenant.connect(feed.url);
      const job = await tenant.sync(worker, id);
      expect(job).toMatchObject({
        state: 'failed',
        attempts: 1,
        error: { code, message: expect.stringMatching(message) },
      });
      expect(JSON.stringify(job)).not.toContain('secret inside');
      expect(feed.calls).toHaveLength(1);
      const kept = await tenant.connection(id);
      expect(kept).toMatchObject({ last_failure_code: code, last_failure_message: expect.stringMatching(message) });
      expect(kept).toMatchObject({ cursor: null, last_success_at: null, last_job_id: job.id });
      expect((await tenant.log(job.id)).join('\n')).toMatch(message);
    });

    it('an address inside, which is not even connected to', async () => {
      const id = await tenant.connect(feed.url.replace('127.0.0.1', '127.0.0.2'));
      expect(await tenant.sync(worker, id)).toMatchObject({ error: { code: 'outbound_refused_address' } });
      expect(feed.calls).toEqual([]);
    });
  });

  it.each<[string, Fault, string]>([
    ['never answers', 'hang', 'outbound_timeout'],
    ['drips', 'drip', 'outbound_timeout'],
    ['sends headers only', 'headers_only', 'outbound_timeout'],
    ['speaks no HTTP', 'no_http', 'outbound_unreadable'],
  ])('gives a server up that %s, within its bound', async (_what, fault, code) => {
    feed.interfere = () => fault;
    const id = await tenant.connect(feed.url);
    const asked = await tenant.ask(worker, id);
    await waitFor(() => feed.calls.length > 0, { what: 'the first try' });
    const began = performance.now();
    const job = await tenant.ended(asked.id);
    expect(performance.now() - began).toBeLessThan(3 * Number(SYNC_VARIABLES.SYNC_TRY_MS) + 1_000);
    expect(job).toMatchObject({ state: 'failed', attempts: 1, error: { code: 'source_failing' } });
    expect(await tenant.connection(id)).toMatchObject({ breaker_state: 'open', last_failure_code: code });
  });

  it('starts again from the beginning when its cursor is refused, once, and says so', async () => {
    feed.rows.push(...rows(20));
    feed.keptFrom = 10;
    const id = await tenant.connect(feed.url, { cursor: 'from-3' });
    const job = await tenant.sync(worker, id);
    expect(job.result).toMatchObject({ outcome: 'completed', rows: 10 });
    expect(feed.calls.map(({ cursor }) => cursor)).toEqual(['from-3', null]);
    expect((await tenant.log(job.id)).join('\n')).toMatch(/does not know the cursor any more .* from the beginning/);
    feed.interfere = ({ cursor }) => (cursor === null ? undefined : { status: 410 });
    feed.pageSize = 2;
    expect(await tenant.sync(worker, id)).toMatchObject({ state: 'failed', error: { code: 'cursor_refused' } });
  });

  describe('does not go on for ever with a server', () => {
    it.each([
      ['whose cursor stays', () => 'same', 3],
      ['whose cursors go in a circle', (number: number) => `c${number % 7}`, 30],
      ['that comes back to a circle', (number: number) => (number < 9 ? `a${number}` : `b${number % 4}`), 40],
    ])('%s', async (_what, cursorOf, most) => {
      feed.interfere = ({ number }) => ({ body: { data: [row(1)], next_cursor: cursorOf(number), has_more: true } });
      const job = await tenant.sync(worker, await tenant.connect(feed.url));
      expect(job).toMatchObject({ state: 'failed', error: { code: 'cursor_stuck' } });
      expect(feed.calls.length).toBeLessThanOrEqual(most);
    });

    it('that always has more', async () => {
      const handler = worker.app.get(SyncHandler, { strict: false });
      const tools = { ...handler['tools'] };
      Object.assign(handler['tools'], { maxPages: 4 });
      try {
        feed.interfere = ({ number }) => ({ body: { data: [row(number)], next_cursor: `n${number}`, has_more: true } });
        const id = await tenant.connect(feed.url);
        const job = await tenant.sync(worker, id);
        expect(job).toMatchObject({ state: 'completed', result: { outcome: 'page_limit', pages: 4, rows: 4 } });
        expect(await tenant.connection(id)).toMatchObject({ cursor: 'n4', last_success_at: null });
        await tenant.sync(worker, id);
        expect(feed.calls[4]!.cursor).toBe('n4');
      } finally {
        Object.assign(handler['tools'], tools);
      }
    });

    it('that takes long for many pages: it gives its slot up in between', async () => {
      const handler = worker.app.get(SyncHandler, { strict: false });
      const tools = { ...handler['tools'] };
      Object.assign(handler['tools'], { turnMs: 0 });
      try {
        feed.rows.push(...rows(900));
        const id = await tenant.connect(feed.url);
        const times: number[] = [];
        feed.interfere = () => void times.push(performance.now());
        const job = await tenant.sync(worker, id);
        expect(job).toMatchObject({ attempts: 1, result: { outcome: 'completed', pages: 2 } });
        expect(times[1]! - times[0]!).toBeGreaterThan(900); // it was back in the queue
        expect(await tenant.stock()).toEqual(expectedStock(900));
      } finally {
        Object.assign(handler['tools'], tools);
      }
    });
  });

  describe('looks at its connection before each page', () => {
    const during = (number: number, work: () => Promise<unknown>) => {
      feed.rows.push(...rows(1_000));
      feed.interfere = async (call) => {
        if (call.number === number) await work();
        return undefined;
      };
    };

    it('and ends when it was paused, without the page at hand', async () => {
      const id = await tenant.connect(feed.url);
      during(2, () => as((connections) => connections.pause(id, undefined)));
      const job = await tenant.sync(worker, id);
      expect(job).toMatchObject({ state: 'completed', result: { outcome: 'paused', pages: 1, rows: 500 } });
      expect((await tenant.connection(id)).cursor).toBe('from-500');
      expect(await tenant.stock()).toHaveLength(500);
      expect((await tenant.sync(worker, id)).result).toMatchObject({ outcome: 'paused', pages: 0 });
      expect(feed.calls).toHaveLength(2);
      await as((connections) => connections.resume(id, undefined));
      expect((await tenant.sync(worker, id)).result).toMatchObject({ outcome: 'completed', rows: 500 });
      expect(await tenant.stock()).toEqual(expectedStock(1_000));
    });

    it('and fails when it was deleted', async () => {
      const id = await tenant.connect(feed.url);
      during(2, () => as((connections) => connections.delete(id, undefined)));
      expect(await tenant.sync(worker, id)).toMatchObject({ state: 'failed', error: { code: 'connection_gone' } });
      expect(await tenant.stock()).toHaveLength(500);
      expect(await tenant.sync(worker, id)).toMatchObject({ state: 'failed', error: { code: 'connection_gone' } });
    });

    it('and goes on from a cursor that was set meanwhile', async () => {
      const id = await tenant.connect(feed.url);
      during(2, () => as((connections) => connections.update(id, undefined, { cursor: 'from-990' })));
      expect((await tenant.sync(worker, id)).result).toMatchObject({ pages: 2, rows: 510 });
      expect(feed.calls.map(({ cursor }) => cursor)).toEqual([null, 'from-500', 'from-990']);
    });

    it('and does not mind that it was renamed', async () => {
      const id = await tenant.connect(feed.url);
      during(2, () => as((connections) => connections.update(id, undefined, { name: newId() })));
      expect((await tenant.sync(worker, id)).result).toMatchObject({ outcome: 'completed', rows: 1_000 });
      expect(await tenant.stock()).toEqual(expectedStock(1_000));
    });

    it('and stops when the job is cancelled', async () => {
      const id = await tenant.connect(feed.url);
      during(2, () =>
        env.query("update jobs set state = 'cancelled', finished_at = now() where dedupe_key = $1", [id]),
      );
      expect((await tenant.sync(worker, id)).state).toBe('cancelled');
      await waitFor(() => feed.calls.length === 2, { what: 'the second page' });
      expect(await tenant.stock()).toHaveLength(500);
    });
  });
});
