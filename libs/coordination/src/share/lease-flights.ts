/**
 * Carries what a process has to say about its leases to one server of Redis: one pipeline at a time, and what comes up meanwhile
 * goes with the next. First who must be heard of (a request waits, others want what is idle here), then renewals.
 *
 * A flight that failed is repeated, since it may or may not have been executed: the numbers in it are states, not
 * differences.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Insurance, Roster } from './insurance';
import type { LeaseReply, LeaseRequest } from './lease';
import type { Attendance, LeaseLedger } from './lease-ledger';
import type { TenantSlots } from './tenant-slots';

const RETRY_AFTER_MS = 100;
const MOST_IN_ONE_FLIGHT = 200;

export interface FlightOptions {
  readonly roster: Roster;
  /** Whether this server keeps the list of processes. */
  readonly attends: () => boolean;
  /** Nothing of the tenant is held or wanted any more. */
  readonly onIdle: (slots: TenantSlots) => void;
}

interface Answer {
  readonly request: LeaseRequest;
  readonly reply: LeaseReply;
  readonly now: number;
}

export class LeaseFlights {
  closing = false;
  private readonly logger = new Logger('TenantShare');
  private readonly urgent = new Set<TenantSlots>();
  private readonly renewals = new Set<TenantSlots>();
  private attendanceDue = false;
  private attendedUntil = -Infinity;
  private flight: Promise<void> | undefined;

  /** Those whose leases the server has. */
  private readonly tenants = new Set<TenantSlots>();

  constructor(
    private readonly ledger: LeaseLedger,
    readonly insurance: Insurance,
    private readonly options: FlightOptions,
  ) {}

  add(slots: TenantSlots): void {
    this.tenants.add(slots);
    slots.moveTo(this.insurance);
  }

  /** The server has the leases of these no more. */
  remove(slots: TenantSlots): void {
    this.tenants.delete(slots);
    this.forget(slots);
  }

  all(): readonly TenantSlots[] {
    return [...this.tenants];
  }

  /** The connection broke: what comes back may be another server, or one without its data. */
  broken(): void {
    this.attendanceDue = !this.closing && this.options.attends();
  }

  /** It serves what another one served before, and may know less. */
  tookOver(): void {
    this.insurance.settle(performance.now());
    this.renewAll();
  }

  /** Sends a tenant's state at once if there is something to say. */
  readonly check = (slots: TenantSlots): void => {
    if (!slots.mustAsk(performance.now(), this.closing)) return;
    this.urgent.add(slots);
    this.depart();
  };

  /** Renews every lease, and says that this process is there. */
  renewAll(): void {
    this.attendanceDue = !this.closing && this.options.attends();
    this.addAll();
    this.depart();
  }

  /** When nothing is left to say, or Redis is away while closing. */
  async landed(): Promise<void> {
    await this.flight;
  }

  private addAll(): void {
    for (const slots of this.tenants) this.renewals.add(slots);
  }

  private depart(): void {
    this.flight ??= this.fly();
  }

  private async fly(): Promise<void> {
    await Promise.resolve(); // what the same turn of the event loop asks for goes along
    while (this.urgent.size > 0 || this.renewals.size > 0 || this.attendanceDue) {
      const batch = this.nextBatch();
      const sentAt = performance.now();
      try {
        await this.exchange(batch);
      } catch (error) {
        for (const slots of batch) if (this.tenants.has(slots)) this.renewals.add(slots);
        this.failed(error, sentAt);
        if (this.closing || !this.ledger.open) break;
        await pause(RETRY_AFTER_MS, undefined, { ref: false });
      }
    }
    this.flight = undefined;
  }

  private nextBatch(): TenantSlots[] {
    const batch: TenantSlots[] = [];
    for (const source of [this.urgent, this.renewals]) {
      for (const slots of source) {
        if (batch.length === MOST_IN_ONE_FLIGHT) return batch;
        this.forget(slots);
        batch.push(slots);
      }
    }
    return batch;
  }

  private forget(slots: TenantSlots): void {
    this.urgent.delete(slots);
    this.renewals.delete(slots);
  }

  private async exchange(batch: readonly TenantSlots[]): Promise<void> {
    const requests = batch.map((slots) => slots.request(performance.now(), this.closing));
    const [replies, attendance] = await Promise.all([
      this.ledger.exchange(requests),
      this.attendanceDue ? this.ledger.attend() : undefined,
    ]);
    const now = performance.now();
    if (this.insurance.answered(now)) {
      this.logger.log('Redis is back: the shares of tenants are counted together again.');
      this.addAll();
    }
    const unknown = replies.some(({ known }, index) => !known && requests[index]!.expectsKnown);
    if (this.attended(attendance, now) || unknown) {
      this.logger.warn('Redis has lost the leases of this process: what is in use is registered anew.');
      this.insurance.settle(now);
      this.addAll();
    }
    batch.forEach((slots, index) => this.apply(slots, { request: requests[index]!, reply: replies[index]!, now }));
  }

  /** True when Redis should have known of this process and did not. */
  private attended(attendance: Attendance | undefined, now: number): boolean {
    if (!attendance) return false;
    const insured = this.insurance.on(now);
    const lost = !attendance.known && now < this.attendedUntil && !insured;
    this.attendanceDue = false;
    this.attendedUntil = attendance.endsAt;
    // While the others come back they are not on record, and still there.
    const { roster } = this.options;
    roster.processes = Math.max(attendance.processes, lost || insured ? roster.processes : 1);
    return lost;
  }

  private apply(slots: TenantSlots, { request, reply, now }: Answer): void {
    if (!this.tenants.has(slots)) return; // it has moved meanwhile, and says everything there
    slots.apply(reply, request, now);
    if (slots.idle) {
      this.remove(slots);
      this.options.onIdle(slots);
    } else this.check(slots);
  }

  private failed(error: unknown, sentAt: number): void {
    if (!this.insurance.failed(sentAt, performance.now())) return;
    this.logger.warn({ err: error }, 'Redis is away: this process keeps to its own part of each tenant’s share.');
  }
}
