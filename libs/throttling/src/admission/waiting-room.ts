/**
 * Who waits for its turn at the gate. Bounded; nobody waits past a deadline. Who is next: of the most urgent priority the tenant
 * that has the fewest requests under way for its weight, and of its requests the first. Who has to go when there is no room:
 * of the least urgent priority the tenant that has the most waiting for its weight, and of its requests the last. Behind a line of its
 * tenant that stands (LinePace) nobody waits at all.
 */
import { LinePace } from '#libs/kernel';
import { PRIORITIES, type Priority, type Visitor } from './visitor';

export interface Waiter {
  readonly visitor: Visitor;
  /** On the clock of performance.now(). */
  readonly since: number;
  admit(): void;
  refuse(): void;
}

interface Line {
  readonly waiters: Waiter[];
  readonly weight: number;
  readonly pace: LinePace;
}

export class WaitingRoom {
  private readonly lines = new Map<Priority, Map<string, Line>>(PRIORITIES.map((priority) => [priority, new Map()]));
  private count = 0;

  /** `waitMs`: longest wait. */
  constructor(
    private readonly places: number,
    private readonly waitMs: number,
  ) {}

  get waiting(): number {
    return this.count;
  }

  waitingOf(priority: Priority): number {
    let sum = 0;
    for (const { waiters } of this.lines.get(priority)!.values()) sum += waiters.length;
    return sum;
  }

  /** Whether so many requests of the tenant wait already that another is not worth it. */
  isCrowded(priority: Priority, tenant: string, now: number): boolean {
    const line = this.lines.get(priority)!.get(tenant);
    return line !== undefined && line.waiters.length >= line.pace.worth(now);
  }

  /** Adds a waiter; answers who has to go for it, which may be itself. */
  add(waiter: Waiter): Waiter | undefined {
    const { visitor, since } = waiter;
    const { tenant, weight, priority } = visitor;
    const lines = this.lines.get(priority)!;
    const line = lines.get(tenant);
    if (line) line.waiters.push(waiter);
    else {
      const pace = new LinePace(this.waitMs);
      pace.begin(since);
      lines.set(tenant, { waiters: [waiter], weight, pace });
    }
    this.count += 1;
    return this.count > this.places ? this.takeLast() : undefined;
  }

  /** Takes out who is next, who is served at `now`. `load`: requests of a tenant, undefined where it may have no more of that priority. */
  takeNext(load: (priority: Priority, tenant: string) => number | undefined, now: number): Waiter | undefined {
    for (const [priority, lines] of this.lines) {
      let [next, least]: [string | undefined, number] = [undefined, Infinity];
      for (const [tenant, { waiters, weight }] of lines) {
        const share = (load(priority, tenant) ?? Infinity) / weight;
        if (share < least || (share === least && next && waiters[0]!.since < lines.get(next)!.waiters[0]!.since))
          [next, least] = [tenant, share];
      }
      if (next === undefined) continue;
      lines.get(next)!.pace.serve(now);
      return this.take(lines, next, 0);
    }
    return undefined;
  }

  /** Takes out one who does not wait any more; false where it is gone already. */
  remove(waiter: Waiter): boolean {
    const lines = this.lines.get(waiter.visitor.priority)!;
    const index = lines.get(waiter.visitor.tenant)?.waiters.indexOf(waiter) ?? -1;
    if (index < 0) return false;
    this.take(lines, waiter.visitor.tenant, index);
    return true;
  }

  private takeLast(): Waiter {
    const priority = [...PRIORITIES].reverse().find((one) => this.lines.get(one)!.size > 0)!;
    const lines = this.lines.get(priority)!;
    let [last, most] = ['', -Infinity];
    for (const [tenant, { waiters, weight }] of lines) {
      const load = waiters.length / weight;
      if (load > most || (load === most && waiters.at(-1)!.since >= lines.get(last)!.waiters.at(-1)!.since))
        [last, most] = [tenant, load];
    }
    return this.take(lines, last, lines.get(last)!.waiters.length - 1);
  }

  private take(lines: Map<string, Line>, tenant: string, index: number): Waiter {
    const { waiters } = lines.get(tenant)!;
    const [taken] = waiters.splice(index, 1);
    if (waiters.length === 0) lines.delete(tenant);
    this.count -= 1;
    return taken!;
  }
}
