import { AdmissionGate, type Leave } from './admission-gate';
import type { Priority, Visitor } from './visitor';

/** At its long-run rate nobody is let in within a test, unless the test says so. */
const visitor = (tenant: string, priority: Priority = 'interactive', perSecond = 0.001): Visitor => ({
  tenant,
  weight: 1,
  perSecond,
  priority,
  route: 'GET /v1/things',
});

/** With a limit of 8 whatever happens: the least there is. */
const gate = (places = 100, waited?: (priority: Priority, ms: number) => void) =>
  new AdmissionGate({ maxConcurrency: 8, places, waitMs: 1_000 }, waited);

function enterAtOnce(one: AdmissionGate, who: Visitor): Leave {
  const leave = one.enter(who);
  if (leave instanceof Promise) throw new Error(`${who.tenant} has to wait.`);
  return leave;
}

/** Of tenants each, or of one whose window does not matter, as its rate lets it in. */
const fill = (one: AdmissionGate, count: number, tenant?: string, priority?: Priority): Leave[] =>
  Array.from({ length: count }, (_, index) =>
    enterAtOnce(one, tenant ? visitor(tenant, priority, 1e6) : visitor(`tenant-${index}`, priority)),
  );

describe('the admission gate', () => {
  beforeEach(() => jest.useFakeTimers());

  afterEach(() => jest.useRealTimers());

  it('lets in as many as the limit, and the next one when somebody leaves', async () => {
    const waits: number[] = [];
    const one = gate(100, (_priority, ms) => waits.push(ms));
    const inside = fill(one, 8);
    const waiting = one.enter(visitor('late'));
    expect(one.snapshot()).toMatchObject({ limit: 8, inFlight: { interactive: 8 }, waiting: { interactive: 1 } });
    jest.advanceTimersByTime(300);
    inside[0]!(true);
    const leave = await waiting;
    expect(waits).toEqual([300]);
    leave(true);
    expect(one.snapshot()).toMatchObject({ inFlight: { interactive: 7 }, admitted: { interactive: 9 } });
  });

  it('counts who leaves once', () => {
    const one = gate();
    const [first] = fill(one, 8);
    first!(true);
    first!(false);
    first!(true);
    expect(one.snapshot().inFlight.interactive).toBe(7);
    enterAtOnce(one, visitor('next'));
    expect(one.enter(visitor('beyond'))).toBeInstanceOf(Promise);
  });

  it('always has room for others beside one tenant', () => {
    const one = gate();
    fill(one, 6, 'noisy');
    const waiting = one.enter(visitor('noisy'));
    expect(waiting).toBeInstanceOf(Promise);
    expect(one.snapshot()).toMatchObject({ inFlight: { interactive: 6 }, waiting: { interactive: 1 } });
  });

  it('lets the others pass who is at its share', async () => {
    const one = gate();
    fill(one, 6, 'noisy');
    const noisy = one.enter(visitor('noisy'));
    await one.enter(visitor('quiet'));
    expect(one.snapshot()).toMatchObject({ inFlight: { interactive: 7 }, waiting: { interactive: 1 } });
    expect(noisy).toBeInstanceOf(Promise);
  });

  it('lets in the first request of each tenant up to twice the limit, and of those who wait as soon as one leaves', async () => {
    const one = new AdmissionGate({ maxConcurrency: 100, places: 100, waitMs: 1_000 });
    const noisy = [...fill(one, 24, 'noisy'), ...fill(one, 8, 'busy')];
    expect(one.snapshot()).toMatchObject({ limit: 32, inFlight: { interactive: 32 } });
    expect(one.enter(visitor('busy'))).toBeInstanceOf(Promise);
    fill(one, 1, 'quiet');
    expect(one.enter(visitor('quiet'))).toBeInstanceOf(Promise);
    expect(one.enter(visitor('calm', 'report'))).toBeInstanceOf(Promise);
    const others = fill(one, 31);
    const late = one.enter(visitor('late'));
    expect(one.snapshot()).toMatchObject({ inFlight: { interactive: 64 }, waiting: { interactive: 3, report: 1 } });
    others[0]!(true);
    await late;
    noisy[0]!(true);
    expect(one.snapshot()).toMatchObject({ inFlight: { interactive: 63 }, waiting: { interactive: 2 } });
  });

  it('lets in one request of a tenant at first, and twice as many each quarter of a second, though none of them ends', async () => {
    const one = gate();
    enterAtOnce(one, visitor('other'))(true);
    enterAtOnce(one, visitor('eager'));
    const waiting = Array.from({ length: 4 }, () => Promise.resolve(one.enter(visitor('eager'))));
    jest.advanceTimersByTime(200);
    expect(one.snapshot()).toMatchObject({ inFlight: { interactive: 1 }, waiting: { interactive: 4 } });
    jest.advanceTimersByTime(200);
    await waiting[0];
    expect(one.snapshot()).toMatchObject({ inFlight: { interactive: 2 }, waiting: { interactive: 3 } });
    jest.advanceTimersByTime(200);
    await Promise.all(waiting.slice(1, 3));
    expect(one.snapshot()).toMatchObject({ inFlight: { interactive: 4 }, waiting: { interactive: 1 } });
  });

  it('lets in a tenant at its long-run rate, though its window is full', async () => {
    const one = gate();
    enterAtOnce(one, visitor('other'))(true);
    const noisy = () => one.enter(visitor('noisy', 'interactive', 10));
    enterAtOnce(one, visitor('noisy', 'interactive', 10));
    enterAtOnce(one, visitor('noisy', 'interactive', 10));
    const waiting = [noisy(), noisy()].map((leave) => Promise.resolve(leave));
    jest.advanceTimersByTime(90);
    expect(one.snapshot()).toMatchObject({ inFlight: { interactive: 2 }, waiting: { interactive: 2 } });
    jest.advanceTimersByTime(20);
    await waiting[0];
    expect(one.snapshot()).toMatchObject({ inFlight: { interactive: 3 }, waiting: { interactive: 1 } });
  });

  it('lets in who has waited for longer than its window is remembered', async () => {
    const one = new AdmissionGate({ maxConcurrency: 8, places: 100, waitMs: 60_000 });
    const inside = fill(one, 8);
    const late = one.enter(visitor('late'));
    for (let second = 0; second < 30; second += 1) {
      jest.advanceTimersByTime(1_000);
      void one.enter(visitor(`other-${second}`, 'bulk'));
    }
    inside[0]!(true);
    (await late)(true);
    expect(one.snapshot().admitted.interactive).toBe(9);
  });

  it('never lets in more than its maximum', () => {
    const one = new AdmissionGate({ maxConcurrency: 40, places: 100, waitMs: 1_000 });
    fill(one, 40);
    expect(one.enter(visitor('late'))).toBeInstanceOf(Promise);
  });

  it('keeps room for who waits at a screen: reports get a half, imports a quarter', () => {
    const one = gate();
    fill(one, 2, undefined, 'bulk');
    expect(one.enter(visitor('third', 'bulk'))).toBeInstanceOf(Promise);
    const reports = gate();
    fill(reports, 1, undefined, 'bulk');
    fill(reports, 3, undefined, 'report');
    expect(reports.enter(visitor('fifth', 'report'))).toBeInstanceOf(Promise);
    expect(one.snapshot().inFlight).toEqual({ interactive: 0, report: 0, bulk: 2 });
  });

  it('refuses who has waited too long, with when to come back', async () => {
    const one = gate();
    fill(one, 8);
    const waiting = Promise.resolve(one.enter(visitor('late')));
    const refused = expect(waiting).rejects.toMatchObject({
      code: 'overloaded',
      category: 'unavailable',
      retryAfterSeconds: 1,
      details: { limit: 'concurrency', maximum: 8, remaining: 0, priority: 'interactive', retry_after: 1 },
    });
    jest.advanceTimersByTime(999);
    expect(one.snapshot().waiting.interactive).toBe(1);
    jest.advanceTimersByTime(1);
    await refused;
    expect(one.snapshot()).toMatchObject({ waiting: { interactive: 0 }, expired: { interactive: 1 } });
  });

  it('says of who is kept out by the window of its tenant that it is the tenant', async () => {
    const one = new AdmissionGate({ maxConcurrency: 100, places: 100, waitMs: 1_000 });
    enterAtOnce(one, visitor('other'))(true);
    enterAtOnce(one, visitor('noisy'));
    const outcomes = Promise.allSettled(Array.from({ length: 40 }, () => Promise.resolve(one.enter(visitor('noisy')))));
    jest.advanceTimersByTime(1_000);
    const refused = one.snapshot().heldBack.interactive;
    expect(refused).toBeGreaterThan(25);
    expect(one.snapshot()).toMatchObject({ expired: { interactive: 0 }, shed: { interactive: 0 } });
    const failed = (await outcomes).filter((outcome) => outcome.status === 'rejected');
    expect(failed).toHaveLength(refused);
    for (const { reason } of failed) {
      expect(reason).toMatchObject({
        ...{ code: 'limit_exceeded', category: 'limited' },
        details: { limit: 'concurrency', priority: 'interactive' },
      });
    }
  });

  it('refuses at once who would wait behind a line of its tenant that stands, and lets others in', async () => {
    const one = new AdmissionGate({ maxConcurrency: 100, places: 100, waitMs: 1_000 });
    enterAtOnce(one, visitor('other'))(true);
    const refused: unknown[] = [];
    const hang = async () => {
      try {
        const leave = await one.enter(visitor('noisy'));
        setTimeout(() => leave(true), 200);
      } catch (error) {
        refused.push(error);
      }
    };
    for (let tick = 0; tick < 200; tick += 1) {
      void hang();
      void hang();
      await jest.advanceTimersByTimeAsync(10);
      enterAtOnce(one, visitor('quiet'))(true);
    }
    const { waiting, heldBack } = one.snapshot();
    expect(waiting.interactive).toBeGreaterThan(4);
    expect(waiting.interactive).toBeLessThan(25); // a standing line of a quarter of a second, with 200 a second coming
    expect(heldBack.interactive).toBe(refused.length);
    for (let more = 0; more < 25 && !one.refuseCrowded(visitor('noisy')); more += 1) void hang();
    expect(() => one.enter(visitor('noisy'))).toThrow(expect.objectContaining({ code: 'limit_exceeded' }) as Error);
    expect(one.refuseCrowded(visitor('quiet'))).toBeUndefined();
  });

  it('sheds the less urgent when nobody else may wait', async () => {
    const one = gate(1);
    fill(one, 8);
    const bulk = Promise.resolve(one.enter(visitor('quiet', 'bulk')));
    const refused = expect(bulk).rejects.toMatchObject({ code: 'overloaded', details: { priority: 'bulk' } });
    const urgent = one.enter(visitor('noisy'));
    await refused;
    expect(one.snapshot()).toMatchObject({ shed: { bulk: 1 }, waiting: { interactive: 1, bulk: 0 } });
    await expect(Promise.resolve(one.enter(visitor('quiet', 'report')))).rejects.toMatchObject({ code: 'overloaded' });
    expect(urgent).toBeInstanceOf(Promise);
  });

  it('says to come back later the more are waiting', async () => {
    const one = gate(40);
    const inside = fill(one, 8);
    for (let i = 0; i < 4; i += 1) {
      jest.advanceTimersByTime(300);
      inside[i]!(true);
      inside.push(enterAtOnce(one, visitor(`more-${i}`)));
    }
    const waiting = Array.from({ length: 40 }, (_, i) => Promise.resolve(one.enter(visitor(`waiter-${i}`))));
    for (const each of waiting) each.catch(() => undefined);
    await expect(Promise.resolve(one.enter(visitor('last')))).rejects.toMatchObject({ retryAfterSeconds: 12 });
  });
});
