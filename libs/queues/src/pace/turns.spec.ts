/** Turns by themselves: what each tenant gets of the time, and in which order the jobs of one tenant come. */
import fc from 'fast-check';
import { QUANTUM_MS, Ticket, Turns } from './turns';

interface Waiter {
  readonly ticket: Ticket;
}

/** Jobs that always want one more step, which takes `stepMs`; at one gate, one at a time. */
class Room {
  readonly turns = new Turns();
  readonly waiting = new Set<Waiter>();
  readonly ran: Ticket[] = [];
  private readonly steps = new Map<Ticket, number>();

  come(tenant: string, stepMs: number, weight = 1): Ticket {
    const ticket = new Ticket(tenant, weight);
    this.steps.set(ticket, stepMs);
    this.again(ticket);
    return ticket;
  }

  again(ticket: Ticket): void {
    this.turns.come(ticket);
    this.waiting.add({ ticket });
  }

  /** One step of whose turn it is; a job that `ends` does not come again. */
  step(ends: (ticket: Ticket) => boolean = () => false): Ticket {
    const waiter = this.turns.next(this.waiting)!;
    this.waiting.delete(waiter);
    const { ticket } = waiter;
    this.turns.begin(ticket);
    this.ran.push(ticket);
    this.turns.end(ticket, this.steps.get(ticket)!);
    if (!ends(ticket)) this.again(ticket);
    return ticket;
  }

  msOf(tenant: string): number {
    return this.ran
      .filter((ticket) => ticket.tenant === tenant)
      .reduce((sum, ticket) => sum + this.steps.get(ticket)!, 0);
  }
}

describe('turns of jobs at a gate', () => {
  it('are of nobody where nobody waits', () => {
    expect(new Turns().next<Waiter>([])).toBeUndefined();
  });

  it('go at once to a tenant that comes while another has had many', () => {
    const room = new Room();
    for (let job = 0; job < 5; job += 1) room.come('loud', 10);
    for (let step = 0; step < 100; step += 1) room.step();
    const late = room.come('late', 10);
    expect([room.step(), room.step()]).toContain(late);
  });

  it('cannot be saved up', () => {
    const room = new Room();
    room.come('there', 10);
    for (let step = 0; step < 100; step += 1) room.step();
    room.come('late', 10);
    const from = room.msOf('there');
    for (let step = 0; step < 20; step += 1) room.step();
    expect(room.msOf('there') - from).toBeGreaterThanOrEqual(90);
  });

  it('bring jobs of one tenant to their end one after another', () => {
    const room = new Room();
    const jobs = Array.from({ length: 4 }, () => room.come('only', 20));
    const left = new Map(jobs.map((job) => [job, 5]));
    const ended: Ticket[] = [];
    const ends = (ticket: Ticket): boolean => {
      left.set(ticket, left.get(ticket)! - 1);
      if (left.get(ticket) === 0) ended.push(ticket);
      return left.get(ticket) === 0;
    };
    for (let step = 0; step < 20; step += 1) room.step(ends);
    expect(ended).toEqual(jobs);
    expect(room.ran).toEqual(jobs.flatMap((job) => Array<Ticket>(5).fill(job)));
  });

  it('do not leave the others of a tenant behind a long job', () => {
    const room = new Room();
    const long = room.come('only', 100);
    const short = room.come('only', 10);
    const steps = Array.from({ length: 1 + QUANTUM_MS / 100 }, () => room.step());
    expect(steps).toEqual([...Array<Ticket>(QUANTUM_MS / 100).fill(long), short]);
  });

  it('share the time by weight, whatever steps take and however many jobs a tenant has', () => {
    const tenant = fc.record({
      weight: fc.integer({ min: 1, max: 8 }),
      jobs: fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 }),
    });
    fc.assert(
      fc.property(fc.array(tenant, { minLength: 2, maxLength: 6 }), (tenants) => {
        const room = new Room();
        tenants.forEach(({ weight, jobs }, name) => jobs.forEach((stepMs) => room.come(String(name), stepMs, weight)));
        const longest = tenants.map(({ jobs, weight }) => Math.max(...jobs) / weight);
        for (let step = 0; step < 400; step += 1) {
          room.step();
          const shares = tenants.map(({ weight }, name) => room.msOf(String(name)) / weight);
          for (let one = 0; one < tenants.length; one += 1)
            for (let other = 0; other < one; other += 1)
              // Theorem 1 of the paper: they differ by at most one longest step of each.
              expect(Math.abs(shares[one]! - shares[other]!)).toBeLessThanOrEqual(
                longest[one]! + longest[other]! + 1e-6,
              );
        }
      }),
      { numRuns: 40 },
    );
  });

  it('do not have a tenant pay for what others had while its step lasted', () => {
    const turns = new Turns();
    const jobs = [new Ticket('long', 1), ...Array.from({ length: 3 }, () => new Ticket('short', 1))];
    const stepMs = (ticket: Ticket) => (ticket.tenant === 'long' ? 1_000 : 50);
    const waiting = new Set(jobs.map((ticket) => ({ ticket })));
    const inside = new Map<Ticket, number>();
    for (const ticket of jobs) turns.come(ticket);
    let longMs = 0;
    for (let now = 0; now < 20_000; now += 50) {
      for (const [ticket, until] of inside) {
        if (until > now) continue;
        inside.delete(ticket);
        turns.end(ticket, stepMs(ticket));
        waiting.add({ ticket });
      }
      while (inside.size < 2) {
        const waiter = turns.next(waiting)!;
        waiting.delete(waiter);
        turns.begin(waiter.ticket);
        inside.set(waiter.ticket, now + stepMs(waiter.ticket));
      }
      if (inside.has(jobs[0]!)) longMs += 50;
    }
    expect(longMs).toBeGreaterThan(19_000); // it has one of the two places, which is its half
  });

  it('of thousands of tenants, once each, are remembered no longer than they matter', () => {
    const room = new Room();
    for (let tenant = 0; tenant < 5_000; tenant += 1) {
      room.come(String(tenant), 1);
      room.step(() => true);
    }
    const { finished } = room.turns as unknown as { readonly finished: ReadonlyMap<string, number> };
    expect(finished.size).toBeLessThan(300);
  });
});
