import { type Attempt, Feed, type Outcome } from './feed';

const GONE = { status: 503, code: 'unavailable', detail: 'Gone.' } as const;
const DENIED = { status: 403, code: 'permission_denied', detail: 'No.' } as const;

/** A feed whose tries end as the test says. */
function feedOf() {
  let now = 1_000_000;
  const tries: { take: (view: number) => void; end: (outcome: Outcome) => void; signal: AbortSignal }[] = [];
  const attempt: Attempt<number> = (take, signal) => new Promise((end) => tries.push({ take, end, signal }));
  let changes = 0;
  const feed = new Feed<number>({ attempt, changed: () => (changes += 1), now: () => now, random: () => 1 });
  const pass = async (ms: number) => {
    now += ms;
    await jest.advanceTimersByTimeAsync(ms);
  };
  return { feed, tries, pass, changes: () => changes };
}

describe('Feed', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('shows what comes, keeps it while it reconnects, and tells since when', async () => {
    const { feed, tries, pass } = feedOf();
    feed.start();
    expect(feed.connection.kind).toBe('connecting');
    tries[0]!.take(7);
    expect(feed.connection.kind).toBe('live');
    tries[0]!.end({ problem: GONE });
    await pass(0);
    expect(feed.connection).toEqual({ kind: 'reconnecting', since: 1_000_000, nextAt: 1_001_000, problem: GONE });
    await pass(1_000);
    tries[1]!.end({ problem: GONE });
    await pass(0);
    expect(feed.connection).toMatchObject({ since: 1_000_000, nextAt: 1_003_000 });
    expect(feed.view).toBe(7);
    await pass(2_000);
    tries[2]!.take(8);
    expect(feed).toMatchObject({ view: 8, seenAt: 1_003_000, connection: { kind: 'live' } });
  });

  it('waits ever longer for streams that tell something and end at once, whether or not they say why', async () => {
    const { feed, tries, pass } = feedOf();
    feed.start();
    const pauses: number[] = [];
    for (const at of [0, 1, 2, 3]) {
      tries[at]!.take(at);
      tries[at]!.end(at % 2 === 0 ? {} : { problem: GONE });
      await pass(0);
      const { connection } = feed;
      if (connection.kind === 'reconnecting') pauses.push(connection.nextAt - connection.since);
      await pass(8_000);
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000]);
  });

  it('opens a stream that ended after a while as if nothing was wrong', async () => {
    const { feed, tries, pass } = feedOf();
    feed.start();
    tries[0]!.take(1);
    await pass(3_600_000);
    tries[0]!.end({});
    await pass(0);
    expect(feed.connection.kind).toBe('live');
    await pass(1_000);
    expect(tries).toHaveLength(2);
  });

  it('waits from the beginning again after one that lasted', async () => {
    const { feed, tries, pass } = feedOf();
    feed.start();
    for (const at of [0, 1, 2]) {
      tries[at]!.end({ problem: GONE });
      await pass(4_000);
    }
    tries[3]!.take(1);
    await pass(10_000);
    tries[3]!.end({ problem: GONE });
    await pass(0);
    expect(feed.connection).toMatchObject({ since: 1_022_000, nextAt: 1_023_000 });
  });

  it('stops where asking again does not help', async () => {
    const { feed, tries, pass } = feedOf();
    feed.start();
    tries[0]!.end({ problem: DENIED });
    await pass(100_000);
    feed.start();
    expect(feed.connection).toEqual({ kind: 'stopped', problem: DENIED });
    expect(tries).toHaveLength(1);
  });

  it('asks nothing while it is paused, and at once afterwards', async () => {
    const { feed, tries, pass, changes } = feedOf();
    feed.start();
    tries[0]!.take(1);
    feed.pause();
    expect(tries[0]!.signal.aborted).toBe(true);
    const before = changes();
    tries[0]!.take(2);
    tries[0]!.end({});
    await pass(100_000);
    expect({ tries: tries.length, view: feed.view, changes: changes() }).toEqual({
      tries: 1,
      view: 1,
      changes: before,
    });
    feed.start();
    expect(tries).toHaveLength(2);
  });

  it('does not wait out a pause when it is hurried', async () => {
    const { feed, tries, pass } = feedOf();
    feed.start();
    tries[0]!.end({ problem: { ...GONE, retryAfterMs: 60_000 } });
    await pass(30_000);
    expect(tries).toHaveLength(1);
    feed.hurry();
    await pass(0);
    expect(tries).toHaveLength(2);
  });

  it('asks again when it was told to', async () => {
    const { feed, tries, pass } = feedOf();
    feed.start();
    tries[0]!.take(1);
    expect(feed.everyMs).toBeUndefined();
    tries[0]!.end({ againMs: 10_000 });
    await pass(9_999);
    expect(feed.everyMs).toBe(10_000);
    expect(tries).toHaveLength(1);
    await pass(1);
    expect(tries).toHaveLength(2);
    expect(feed.connection.kind).toBe('live');
  });
});
