/**
 * One tenant's slots in this process. `leased` is never more than Redis has on record for this process while the lease
 * lasts: what is given back is taken off before the request leaves, what is granted is added when the reply is there.
 *
 * - A slot may be taken while fewer are in use than leased, than the allowance, and than the limit.
 * - Without contention up to the peak use of the last one to two renewal periods stays leased.
 * - Pressed (others lack slots): what is idle is given back at once; above the allowance, with the next release.
 * - After the limit was lowered nothing is taken before Redis has answered to it: what others have out counts.
 * - Who waits is served in order of arrival; nobody overtakes.
 * - While the insurance is on, the limit is this process's part, whatever is leased.
 */
import { LinePace } from '#libs/kernel';
import type { ReleaseSlot } from '#libs/tenancy';
import type { Insurance } from './insurance';
import type { LeaseReply, LeaseRequest } from './lease';

const FIRST_ASK_MS = 10;
const LONGEST_ASK_MS = 100;

interface Waiter {
  readonly since: number;
  readonly resolve: (release: ReleaseSlot) => void;
  readonly refuse: () => void;
}

export interface SlotsOf {
  readonly organizationId: string;
  /** Slots that this process uses at once, whatever the limit; who is beyond waits here, and nothing is asked for it. */
  readonly mostHere: number;
  /** Longest wait of one that waits here. */
  readonly waitMs: number;
  /** Called when there may be something to tell Redis, see {@link TenantSlots.mustAsk}. */
  readonly changed: (slots: TenantSlots) => void;
}

export class TenantSlots {
  inUse = 0;
  leased = 0;
  private readonly waiters = new Set<Waiter>();
  private readonly pace: LinePace;
  private endsAt = -Infinity;
  private allowance = Infinity;
  private pressed = false;
  private reportedDemand = 0;
  private recorded = false;
  private lowered = false;
  private peak = 0;
  private peakBefore = 0;
  private nextAskAt = 0;
  private askAgainMs = FIRST_ASK_MS;

  constructor(
    private readonly of: SlotsOf,
    private limit: number,
    private insurance: Insurance,
  ) {
    this.pace = new LinePace(of.waitMs);
  }

  get organizationId(): string {
    return this.of.organizationId;
  }

  get waiting(): number {
    return this.waiters.size;
  }

  get idle(): boolean {
    return this.leased === 0 && this.inUse === 0 && this.waiters.size === 0;
  }

  /** Another server has the tenant's leases from now on. */
  moveTo(insurance: Insurance): void {
    this.insurance = insurance;
    this.nextAskAt = 0;
  }

  /** The limit in force, told with each take. */
  setLimit(limit: number): void {
    if (limit === this.limit) return;
    if (limit < this.limit) this.lowered = true;
    this.limit = limit;
    this.nextAskAt = 0;
  }

  /** A slot at once, or undefined. */
  tryTake(now: number): ReleaseSlot | undefined {
    return this.waiters.size === 0 && this.inUse < this.capacity(now) ? this.take() : undefined;
  }

  /** How many may wait so that each of them is likely to be served in time. */
  worthWaiting(now: number): number {
    return this.waiters.size > 0 && this.isAtItsLimit(now) ? this.pace.worth(now) : Infinity;
  }

  wait(now: number, refusal: () => Error): Promise<ReleaseSlot> {
    if (this.waiters.size === 0) this.pace.begin(now);
    return new Promise((resolve, reject) => {
      this.waiters.add({ since: now, resolve, refuse: () => reject(refusal()) });
    });
  }

  /** Serves who waits while there are slots. */
  serve(now: number): void {
    for (const waiter of this.waiters) {
      if (this.inUse >= this.capacity(now)) return;
      this.waiters.delete(waiter);
      this.pace.serve(now);
      waiter.resolve(this.take());
    }
  }

  /** Refuses who has waited since before `since`; answers how many. */
  refuse(since: number): number {
    let refused = 0;
    for (const waiter of this.waiters) {
      if (waiter.since > since) break;
      this.waiters.delete(waiter);
      waiter.refuse();
      refused += 1;
    }
    return refused;
  }

  /** Others want slots, or there are some for this process. */
  hint(allowance: number): void {
    this.allowance = allowance;
    this.pressed = true;
    this.nextAskAt = 0;
  }

  /** A renewal period is over. */
  endPeriod(): void {
    this.peakBefore = this.peak;
    this.peak = this.inUse;
  }

  /** Whether Redis must hear of this tenant now, rather than with the next renewal. */
  mustAsk(now: number, closing: boolean): boolean {
    if (this.insurance.on(now)) return false;
    const { demand } = this;
    if (demand > this.inUse && now >= this.nextAskAt) return true;
    if (this.leased > Math.max(this.inUse, Math.min(this.allowance, this.limit))) return true;
    if ((this.pressed || closing) && this.leased > demand) return true;
    if (this.lowered && this.leased > this.inUse) return true;
    return this.waiters.size === 0 && this.reportedDemand > Math.max(this.leased, demand);
  }

  /** What to tell Redis now; it counts from here on. */
  request(now: number, closing: boolean): LeaseRequest {
    const { demand } = this;
    const live = this.isKnown(now) ? this.leased : 0;
    const expectsKnown = this.recorded && now < this.endsAt && !this.insurance.on(now);
    const told = this.insurance.on(now) ? this.part(demand) : this.need(demand, live, closing);
    this.leased = told.held;
    this.reportedDemand = told.demand;
    return { organizationId: this.organizationId, limit: this.limit, expectsKnown, ...told };
  }

  apply(reply: LeaseReply, request: LeaseRequest, now: number): void {
    if (!this.isKnown(now)) this.pace.begin(now); // who waited for Redis has not waited for slots
    if (request.limit <= this.limit) this.lowered = false;
    this.recorded = reply.leased > 0 || this.reportedDemand > 0;
    ({ leased: this.leased, allowance: this.allowance, pressed: this.pressed, endsAt: this.endsAt } = reply);
    this.serve(now);
    this.askAgainMs = this.waiters.size > 0 ? Math.min(this.askAgainMs * 2, LONGEST_ASK_MS) : FIRST_ASK_MS;
    this.nextAskAt = this.waiters.size > 0 && !this.lowered ? now + this.askAgainMs : 0;
  }

  private need(demand: number, live: number, closing: boolean): Pick<LeaseRequest, 'held' | 'demand' | 'wanted'> {
    const kept = this.pressed || closing ? 0 : Math.max(this.peak, this.peakBefore);
    const wanted = Math.max(demand, kept);
    return { held: Math.max(this.inUse, Math.min(live, wanted, this.allowance, this.limit)), demand, wanted };
  }

  /** Under the insurance: the whole part where the tenant is at work here, since it may be used without asking. */
  private part(demand: number): Pick<LeaseRequest, 'held' | 'demand' | 'wanted'> {
    const atWork = demand > 0 || this.peak > 0;
    const part = Math.min(this.insurance.part(this.limit), this.of.mostHere);
    const held = atWork ? Math.max(this.inUse, part) : 0;
    return { held, demand: this.inUse, wanted: held };
  }

  /** What is in use and wanted, as far as this process may use it. */
  private get demand(): number {
    return Math.max(this.inUse, Math.min(this.inUse + this.waiters.size, this.of.mostHere));
  }

  private capacity(now: number): number {
    const { insurance } = this;
    const { mostHere } = this.of;
    if (insurance.on(now)) return Math.min(insurance.part(this.limit), mostHere);
    return this.isKnown(now) ? Math.min(this.leased, this.allowance, this.limit, mostHere) : 0;
  }

  /** Whether it is the limit that makes them wait, and not that Redis has not answered yet. */
  private isAtItsLimit(now: number): boolean {
    if (this.insurance.on(now)) return true;
    const most = Math.min(this.allowance, this.limit, this.of.mostHere);
    return this.isKnown(now) && this.inUse >= most;
  }

  /** Whether Redis has said how many there are. */
  private isKnown(now: number): boolean {
    return now < this.endsAt && !this.lowered;
  }

  private take(): ReleaseSlot {
    this.inUse += 1;
    if (this.inUse > this.peak) this.peak = this.inUse;
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      this.release();
    };
  }

  private release(): void {
    this.inUse -= 1;
    if (this.waiters.size > 0) this.serve(performance.now());
    else if (!this.pressed && this.leased <= this.allowance && this.reportedDemand <= this.leased) return;
    this.of.changed(this);
  }
}
