import { PRIORITIES, type Priority } from './visitor';
import { type Waiter, WaitingRoom } from './waiting-room';

const WAIT_MS = 1_000;
/** Also the time. */
let arrivals = 0;

function waiter(tenant: string, priority: Priority = 'interactive', weight = 1): Waiter {
  arrivals += 1;
  const unused = () => {
    throw new Error('The room only orders.');
  };
  return {
    visitor: { tenant, weight, perSecond: 1, priority, route: 'GET /' },
    since: arrivals,
    admit: unused,
    refuse: unused,
  };
}

const idle = () => 0;

/** Takes everybody out, each staying under way. */
function order(room: WaitingRoom, underWay = new Map<string, number>()): string[] {
  const taken: string[] = [];
  for (;;) {
    const next = room.takeNext((_priority, tenant) => underWay.get(tenant) ?? 0, arrivals);
    if (!next) return taken;
    const { tenant } = next.visitor;
    underWay.set(tenant, (underWay.get(tenant) ?? 0) + 1);
    taken.push(tenant);
  }
}

describe('the waiting room', () => {
  it('lets the tenant go first that has the fewest under way', () => {
    const room = new WaitingRoom(100, WAIT_MS);
    for (let i = 0; i < 5; i += 1) room.add(waiter('noisy'));
    room.add(waiter('quiet'));
    room.add(waiter('calm'));
    expect(order(room, new Map([['noisy', 3]]))).toEqual([
      'quiet',
      'calm',
      'noisy',
      'noisy',
      'noisy',
      'noisy',
      'noisy',
    ]);
  });

  it('lets a tenant of twice the weight have twice as many', () => {
    const room = new WaitingRoom(100, WAIT_MS);
    for (let i = 0; i < 6; i += 1) {
      room.add(waiter('small', 'interactive', 1));
      room.add(waiter('large', 'interactive', 2));
    }
    const first = order(room).slice(0, 9);
    expect(first.filter((tenant) => tenant === 'large')).toHaveLength(6);
  });

  it('keeps the order of arrival within a tenant, and between tenants that are level', () => {
    const room = new WaitingRoom(100, WAIT_MS);
    const waiters = [waiter('a'), waiter('b'), waiter('a'), waiter('b')];
    for (const one of waiters) room.add(one);
    expect(room.takeNext(idle, arrivals)).toBe(waiters[0]);
    expect(room.takeNext((_priority, tenant) => (tenant === 'a' ? 1 : 0), arrivals)).toBe(waiters[1]);
    expect(room.takeNext(() => 1, arrivals)).toBe(waiters[2]);
  });

  it('lets the more urgent go first, whoever they are', () => {
    const room = new WaitingRoom(100, WAIT_MS);
    room.add(waiter('quiet', 'bulk'));
    room.add(waiter('quiet', 'report'));
    room.add(waiter('noisy', 'interactive'));
    const priorities = [1, 2, 3].map(() =>
      room.takeNext((_priority, tenant) => (tenant === 'noisy' ? 50 : 0), arrivals)!,
    );
    expect(priorities.map(({ visitor }) => visitor.priority)).toEqual(PRIORITIES);
  });

  it('passes over priorities that have no room and tenants that may have no more', () => {
    const room = new WaitingRoom(100, WAIT_MS);
    room.add(waiter('full'));
    room.add(waiter('other', 'report'));
    room.add(waiter('other', 'bulk'));
    const load = (priority: Priority, tenant: string) => (tenant === 'full' || priority === 'report' ? undefined : 0);
    expect(room.takeNext(load, arrivals)?.visitor.priority).toBe('bulk');
    expect(room.takeNext(load, arrivals)).toBeUndefined();
    expect(room.waiting).toBe(2);
  });

  it('sends away the newest of who has the most waiting', () => {
    const room = new WaitingRoom(3, WAIT_MS);
    const noisy = [waiter('noisy'), waiter('noisy')];
    const quiet = [waiter('quiet'), waiter('quiet')];
    expect(room.add(noisy[0]!)).toBeUndefined();
    expect(room.add(noisy[1]!)).toBeUndefined();
    expect(room.add(quiet[0]!)).toBeUndefined();
    expect(room.add(quiet[1]!)).toBe(quiet[1]); // level now: the newest of all
    const more = waiter('noisy');
    expect(room.add(more)).toBe(more);
    expect(room.add(waiter('third'))).toBe(noisy[1]);
  });

  it('sends away the least urgent before anybody else', () => {
    const room = new WaitingRoom(2, WAIT_MS);
    const bulk = waiter('quiet', 'bulk');
    const report = waiter('quiet', 'report');
    room.add(bulk);
    room.add(report);
    expect(room.add(waiter('noisy'))).toBe(bulk);
    expect(room.add(waiter('noisy'))).toBe(report);
    const late = waiter('quiet', 'report');
    expect(room.add(late)).toBe(late);
  });

  it('is crowded for a tenant behind as many as are served of its standing line in a quarter of how long one may wait', () => {
    const PERIOD_MS = WAIT_MS / 4;
    const room = new WaitingRoom(1_000, WAIT_MS);
    const began = arrivals;
    const wait = (count: number, atMs = 0) => {
      for (let i = 0; i < count; i += 1) room.add({ ...waiter('noisy'), since: began + atMs });
    };
    const isCrowded = (tenant: string, atMs: number, priority: Priority = 'interactive') =>
      room.isCrowded(priority, tenant, began + atMs);
    wait(30);
    expect(isCrowded('noisy', PERIOD_MS - 1)).toBe(false); // not known yet
    for (let at = 0; at < PERIOD_MS; at += 25) room.takeNext(idle, began + at);
    expect(room.waiting).toBe(20);
    expect(isCrowded('noisy', PERIOD_MS)).toBe(true); // ten were served
    expect([isCrowded('quiet', PERIOD_MS), isCrowded('noisy', PERIOD_MS, 'report')]).toEqual([false, false]);
    for (let i = 0; i < 11; i += 1) room.takeNext(idle, began + PERIOD_MS);
    expect(isCrowded('noisy', PERIOD_MS)).toBe(false); // eleven were, and nine wait
    wait(2);
    expect(isCrowded('noisy', PERIOD_MS)).toBe(true);
    while (room.takeNext(idle, began + PERIOD_MS));
    wait(60, PERIOD_MS);
    expect(isCrowded('noisy', PERIOD_MS + 1)).toBe(false); // a line of its own
  });

  it('forgets who does not wait any more', () => {
    const room = new WaitingRoom(5, WAIT_MS);
    const [first, second] = [waiter('a'), waiter('a')];
    room.add(first);
    room.add(second);
    expect(room.remove(first)).toBe(true);
    expect(room.remove(first)).toBe(false);
    expect(room.takeNext(idle, arrivals)).toBe(second);
    expect(room.waiting).toBe(0);
  });
});
