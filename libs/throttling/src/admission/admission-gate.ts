/**
 * The gate of a process: as many requests at once as `AdaptiveLimit` finds good, the others in a bounded waiting room with a
 * deadline. Of the limit, reports get a half and imports a quarter at most, so that there is always room for who waits at a
 * screen; and one tenant three quarters, so that there is always room for the others. A tenant that has nothing under way is let
 * in up to twice the limit: however slow the process has become, each of its tenants gets on, one request after another. A
 * request is let in, worked on, and leaves; who is refused was never worked on.
 */
import type { StockyardError } from '#libs/kernel';
import { AdaptiveLimit } from './adaptive-limit';
import { heldBack, overloaded } from './admission.error';
import { TenantWindows } from './tenant-windows';
import { PRIORITIES, type Priority, type Visitor } from './visitor';
import { type Waiter, WaitingRoom } from './waiting-room';

const SHARE: Readonly<Record<Priority, number>> = { interactive: 1, report: 0.5, bulk: 0.25 };
/** Each priority and those below it. */
const FROM: Readonly<Record<Priority, readonly Priority[]>> = {
  interactive: PRIORITIES,
  report: PRIORITIES.slice(1),
  bulk: PRIORITIES.slice(2),
};
const TENANT_SHARE = 0.75;
/** Of the limit, up to where the first request of a tenant is let in. */
const FIRST_SHARE = 2;
const LONGEST_RETRY_S = 30;
/** While somebody waits, windows and rates are looked at again so often. */
const LOOK_MS = 50;
/** Completions are counted over about this long, for what is said of when to come back. */
const RATE_WINDOW_MS = 1_000;

/** Leaves. `counts`: whether the time it took says something about the load of this process. May be called once. */
export type Leave = (counts: boolean) => void;

export interface GateOptions {
  readonly maxConcurrency: number;
  readonly places: number;
  readonly waitMs: number;
}

export interface GateSnapshot {
  readonly limit: number;
  readonly inFlight: Readonly<Record<Priority, number>>;
  readonly waiting: Readonly<Record<Priority, number>>;
  readonly admitted: Readonly<Record<Priority, number>>;
  /** No room to wait, or pushed out by somebody more urgent. */
  readonly shed: Readonly<Record<Priority, number>>;
  /** Waited in vain. */
  readonly expired: Readonly<Record<Priority, number>>;
  /** Neither had their turn nor could wait for it, because of the window of their tenant. */
  readonly heldBack: Readonly<Record<Priority, number>>;
}

type Place = Pick<Visitor, 'tenant' | 'priority'>;

const none = (): Record<Priority, number> => ({ interactive: 0, report: 0, bulk: 0 });

export class AdmissionGate {
  private readonly limit: AdaptiveLimit;
  private readonly windows: TenantWindows;
  private readonly room: WaitingRoom;
  private readonly underWay = new Map<string, number>();
  private readonly inFlight = none();
  private readonly counts = { admitted: none(), shed: none(), expired: none(), heldBack: none() };
  private readonly rate = { since: 0, completed: 0, perSecond: 0 };
  private total = 0;
  private looking: NodeJS.Timeout | undefined;

  /** `waited` hears of each wait that was not in vain, in milliseconds. */
  constructor(
    private readonly options: GateOptions,
    private readonly waited: (priority: Priority, ms: number) => void = () => undefined,
  ) {
    const now = performance.now();
    this.limit = new AdaptiveLimit(options.maxConcurrency, now);
    this.windows = new TenantWindows(now);
    this.room = new WaitingRoom(options.places, options.waitMs);
  }

  /**
   * Lets a request in, at once (no promise) or when it is its turn. Throws or rejects with `overloaded` (503), or with `limit_exceeded`
   * (429) where it is the window of its tenant that keeps it out.
   */
  enter(visitor: Visitor): Leave | Promise<Leave> {
    const now = performance.now();
    this.windows.arrived(visitor.tenant, visitor.perSecond);
    const load = this.loadOf(visitor.priority, visitor.tenant, now);
    if (load === 0 || (load !== undefined && this.room.waiting === 0)) return this.admit(visitor, now);
    // There may be room all the same: for this priority, with only less urgent ones waiting, or after a probe.
    this.admitWaiting(now);
    const refusal = this.refuseCrowded(visitor);
    if (refusal) throw refusal;
    return this.wait(visitor, now);
  }

  /** The refusal of one before whom too many of its tenant wait already, which counts; undefined where it may wait. */
  refuseCrowded(visitor: Place): StockyardError | undefined {
    const now = performance.now();
    const isCrowded = () => this.room.isCrowded(visitor.priority, visitor.tenant, now);
    if (!isCrowded()) return undefined;
    this.admitWaiting(now); // windows grow with time too
    return isCrowded() ? this.refused('shed', visitor, now) : undefined;
  }

  snapshot(): GateSnapshot {
    const waiting = none();
    for (const priority of PRIORITIES) waiting[priority] = this.room.waitingOf(priority);
    const { admitted, shed, expired, heldBack: held } = this.counts;
    return {
      limit: this.limit.value,
      inFlight: { ...this.inFlight },
      waiting,
      admitted: { ...admitted },
      shed: { ...shed },
      expired: { ...expired },
      heldBack: { ...held },
    };
  }

  /** Requests of this priority and below it stay within their share. */
  private allows(priority: Priority, now: number): boolean {
    const limit = this.limit.at(now);
    if (this.total >= limit) return false;
    let below = 0;
    for (const one of FROM[priority]) below += this.inFlight[one];
    return below < Math.max(1, limit * SHARE[priority]);
  }

  /** Requests that a tenant has under way; undefined where it may have no more of this priority now. */
  private loadOf(priority: Priority, tenant: string, now: number): number | undefined {
    const underWay = this.underWay.get(tenant) ?? 0;
    if (!this.windows.allows(tenant, underWay, now)) return undefined;
    if (underWay === 0 && priority === 'interactive' && this.total < this.firstLimit(now)) return 0;
    return this.allows(priority, now) && this.hasRoomFor(underWay, now) ? underWay : undefined;
  }

  private firstLimit(now: number): number {
    return Math.min(this.options.maxConcurrency, this.limit.at(now) * FIRST_SHARE);
  }

  private hasRoomFor(underWay: number, now: number): boolean {
    return underWay < Math.max(1, this.limit.at(now) * TENANT_SHARE);
  }

  private wait(visitor: Visitor, now: number): Promise<Leave> {
    return new Promise((resolve, reject) => {
      const { priority } = visitor;
      const fail = (reason: 'shed' | 'expired') => {
        clearTimeout(deadline);
        reject(this.refused(reason, visitor, performance.now()));
      };
      const waiter: Waiter = {
        visitor,
        since: now,
        admit: () => {
          clearTimeout(deadline);
          const admittedAt = performance.now();
          this.waited(priority, admittedAt - now);
          resolve(this.admit(visitor, admittedAt));
        },
        refuse: () => fail('shed'),
      };
      const deadline = setTimeout(() => {
        this.admitWaiting(performance.now());
        if (this.room.remove(waiter)) fail('expired');
      }, this.options.waitMs);
      this.room.add(waiter)?.refuse();
      this.admitWaiting(now);
    });
  }

  private refused(reason: 'shed' | 'expired', { tenant, priority }: Place, now: number): StockyardError {
    const underWay = this.underWay.get(tenant) ?? 0;
    const retryAfterSeconds = this.retryAfterSeconds();
    const hasRoom = this.allows(priority, now) && this.hasRoomFor(underWay, now);
    if (!hasRoom || this.windows.allows(tenant, underWay, now)) {
      this.counts[reason][priority] += 1;
      return overloaded({ priority, limit: this.limit.value, retryAfterSeconds });
    }
    this.counts.heldBack[priority] += 1;
    const window = Math.max(1, Math.floor(this.windows.of(tenant)));
    return heldBack({ priority, window, underWay, retryAfterSeconds });
  }

  private admit(visitor: Visitor, now: number): Leave {
    const { tenant, priority } = visitor;
    this.total += 1;
    this.inFlight[priority] += 1;
    const underWay = (this.underWay.get(tenant) ?? 0) + 1;
    this.underWay.set(tenant, underWay);
    this.windows.arrived(tenant, visitor.perSecond); // it may have waited for longer than it is remembered
    this.windows.began(tenant, underWay, now);
    this.counts.admitted[priority] += 1;
    const inFlight = this.total;
    let inside = true;
    return (counts) => {
      if (!inside) return;
      inside = false;
      this.leave(visitor);
      const left = performance.now();
      if (counts) this.learn(visitor, left - now, inFlight, left);
      this.completed(left);
      if (this.room.waiting > 0) this.admitWaiting(left);
    };
  }

  private learn({ tenant, weight, route }: Visitor, latencyMs: number, inFlight: number, now: number): void {
    const baselineMs = this.limit.add({ tenant, route, latencyMs, inFlight }, now);
    this.windows.ended({ tenant, weight, latencyMs, baselineMs }, now);
  }

  private leave({ tenant, priority }: Visitor): void {
    this.total -= 1;
    this.inFlight[priority] -= 1;
    const left = this.underWay.get(tenant)! - 1;
    if (left > 0) this.underWay.set(tenant, left);
    else this.underWay.delete(tenant);
  }

  private admitWaiting(now: number): void {
    const load = (priority: Priority, tenant: string) => this.loadOf(priority, tenant, now);
    for (let next = this.room.takeNext(load, now); next; next = this.room.takeNext(load, now)) next.admit();
    this.lookAgain();
  }

  /** Windows and rates grow with time too: when all requests of a tenant hang, nobody's leaving tells. */
  private lookAgain(): void {
    if (this.room.waiting === 0 || this.looking) return;
    this.looking = setTimeout(() => {
      this.looking = undefined;
      this.admitWaiting(performance.now());
    }, LOOK_MS).unref();
  }

  private completed(now: number): void {
    const { rate } = this;
    rate.completed += 1;
    const elapsed = now - rate.since;
    if (elapsed < RATE_WINDOW_MS) return;
    rate.perSecond = (rate.completed * 1_000) / elapsed;
    rate.since = now;
    rate.completed = 0;
  }

  /** When those who wait now will have been worked on, at the present pace. */
  private retryAfterSeconds(): number {
    const seconds = Math.ceil(this.room.waiting / Math.max(1, this.rate.perSecond));
    return Math.min(LONGEST_RETRY_S, Math.max(1, seconds));
  }
}
