/**
 * A tenant's share as a distributed semaphore with leases (Gray and Cheriton, "Leases", 1989): each process leases slots
 * of a tenant's limit from Redis and hands them out by itself, so that the hot path makes no call. The rules of one tenant
 * in this process stand in tenant-slots.ts, those between processes in exchange.lua, those without Redis in insurance.ts.
 *
 * Each server of a cluster is spoken to, and insured against, by itself: one that is away costs its own tenants alone.
 *
 * Invariants, as long as each process reaches Redis once in LEASE_MS: in use ≤ leased ≤ on record in Redis, and the
 * records of a tenant sum to at most its limit.
 */
import type { BeforeApplicationShutdown, OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { StockyardError } from '#libs/kernel';
import { type RedisClient, ServerWatch } from '#libs/redis';
import type { ReleaseSlot } from '#libs/tenancy';
import { leasesKey, processesKey } from '../coordination-keys';
import { Insurance } from './insurance';
import { RENEW_MS } from './lease';
import { LeaseFlights } from './lease-flights';
import { LeaseLedger } from './lease-ledger';
import { type SharedLimit, shareExceeded } from './share.error';
import { TenantSlots } from './tenant-slots';

const LOOK_EVERY_MS = 10;

export interface ShareSnapshot {
  /** Tenants of which this process holds or wants slots. */
  readonly tenants: number;
  readonly leased: number;
  readonly inUse: number;
  readonly waiting: number;
  /** Takes that had to wait, since the start. */
  readonly waits: number;
  readonly refusals: number;
  /** Processes of the platform that were heard of lately. */
  readonly processes: number;
}

export interface ShareOptions {
  /** Part of the names of its keys. */
  readonly name: string;
  readonly prefix: string;
  readonly limitName: SharedLimit;
  /** Longest wait for a slot. */
  readonly waitMs: number;
  /** For each slot of the limit, how many may wait in this process. */
  readonly waitersPerSlot: number;
  /** Whether who would most likely wait in vain is refused at once. */
  readonly refusesHopeless: boolean;
  /** Slots of one tenant that this process uses at once, whatever its limit. */
  readonly mostHere: number;
}

export abstract class LeasedShare implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly tenants = new Map<string, TenantSlots>();
  private readonly queued = new Set<TenantSlots>();
  private readonly roster = { processes: 1 };
  private readonly ledger: LeaseLedger;
  private readonly flights = new Map<string, LeaseFlights>();
  /** Who has a tenant's leases. */
  private readonly carriers = new Map<TenantSlots, LeaseFlights>();
  private readonly servers: ServerWatch;
  private closing = false;
  private renewing: NodeJS.Timeout | undefined;
  private looking: NodeJS.Timeout | undefined;
  private waits = 0;
  private refusals = 0;

  protected constructor(
    redis: RedisClient,
    private readonly options: ShareOptions,
  ) {
    this.ledger = new LeaseLedger(redis, options);
    this.servers = new ServerWatch(redis, {
      broken: (server) => this.flights.get(server)?.broken(),
      tookOver: (server) => this.tookOver(server),
    });
  }

  /** What this process is called in the records. */
  get process(): string {
    return this.ledger.process;
  }

  take(organizationId: string, limit: number): ReleaseSlot | Promise<ReleaseSlot> {
    const now = performance.now();
    const slots = this.slotsOf(organizationId, limit);
    const taken = slots.tryTake(now);
    if (taken) return taken;
    const { limitName } = this.options;
    if (this.isFull(slots, limit, now)) {
      this.refusals += 1;
      throw shareExceeded(limitName, limit);
    }
    this.waits += 1;
    const waiting = slots.wait(now, () => shareExceeded(limitName, limit));
    this.queued.add(slots);
    this.look();
    this.check(slots);
    return waiting;
  }

  /** What {@link take} would throw at once. */
  refusal(organizationId: string, limit: number): StockyardError | undefined {
    const slots = this.tenants.get(organizationId);
    if (!slots || !this.isFull(slots, limit, performance.now())) return undefined;
    this.refusals += 1;
    return shareExceeded(this.options.limitName, limit);
  }

  snapshot(): ShareSnapshot {
    const sums = { leased: 0, inUse: 0, waiting: 0 };
    for (const slots of this.tenants.values()) {
      sums.leased += slots.leased;
      sums.inUse += slots.inUse;
      sums.waiting += slots.waiting;
    }
    const { processes } = this.roster;
    return { tenants: this.tenants.size, ...sums, waits: this.waits, refusals: this.refusals, processes };
  }

  onModuleInit(): void {
    this.ledger.listen((organizationId, allowance) => {
      const slots = this.tenants.get(organizationId);
      if (!slots) return;
      slots.hint(allowance);
      this.check(slots);
    });
    this.renewing = setInterval(() => this.renew(), RENEW_MS).unref();
    this.renew();
  }

  /** Gives back what is idle; what is in use follows as it is released. */
  async beforeApplicationShutdown(): Promise<void> {
    this.closing = true;
    for (const flights of this.flights.values()) flights.closing = true;
    this.renewAll();
    await Promise.all([...this.flights.values()].map((flights) => flights.landed()));
    await this.ledger.takeLeave().catch(() => undefined); // it is forgotten all the same, after a lease's life
  }

  onApplicationShutdown(): void {
    clearInterval(this.renewing);
    clearTimeout(this.looking);
    this.ledger.close();
    this.servers.close();
  }

  private isFull(slots: TenantSlots, limit: number, now: number): boolean {
    const { waitersPerSlot, refusesHopeless } = this.options;
    if (slots.waiting >= limit * waitersPerSlot) return true;
    return refusesHopeless && slots.waiting >= slots.worthWaiting(now);
  }

  private slotsOf(organizationId: string, limit: number): TenantSlots {
    let slots = this.tenants.get(organizationId);
    if (slots) slots.setLimit(limit);
    else {
      const flights = this.flightsOf(organizationId);
      slots = new TenantSlots(
        { organizationId, mostHere: this.options.mostHere, waitMs: this.options.waitMs, changed: this.check },
        limit,
        flights.insurance,
      );
      this.tenants.set(organizationId, slots);
      this.carriers.set(slots, flights);
      flights.add(slots);
    }
    return slots;
  }

  private renew(): void {
    for (const slots of this.tenants.values()) slots.endPeriod();
    this.renewAll();
  }

  private renewAll(): void {
    this.assign();
    this.flightsAt(this.servers.serverOf(processesKey(this.options.prefix, this.options.name))); // which are to be there
    for (const flights of this.flights.values()) flights.renewAll();
  }

  private readonly check = (slots: TenantSlots): void => {
    this.carriers.get(slots)?.check(slots);
  };

  private tookOver(server: string): void {
    this.assign();
    this.flightsAt(server).tookOver();
  }

  /** Each tenant to the flights of the server that has its leases by now. */
  private assign(): void {
    for (const [slots, before] of this.carriers) {
      const flights = this.flightsOf(slots.organizationId);
      if (flights === before) continue;
      before.remove(slots);
      this.carriers.set(slots, flights);
      flights.add(slots);
    }
  }

  private flightsOf(organizationId: string): LeaseFlights {
    return this.flightsAt(this.servers.serverOf(leasesKey(this.options.prefix, this.options.name, organizationId)));
  }

  private flightsAt(server: string): LeaseFlights {
    const known = this.flights.get(server);
    if (known) return known;
    const flights = new LeaseFlights(this.ledger, new Insurance(this.roster), {
      roster: this.roster,
      attends: () => this.servers.serverOf(processesKey(this.options.prefix, this.options.name)) === server,
      onIdle: (slots) => {
        this.tenants.delete(slots.organizationId);
        this.carriers.delete(slots);
      },
    });
    flights.closing = this.closing;
    this.flights.set(server, flights);
    return flights;
  }

  /** While requests wait: serves, refuses and asks for them. */
  private look(): void {
    this.looking ??= setTimeout(() => {
      this.looking = undefined;
      const now = performance.now();
      for (const slots of this.queued) {
        slots.serve(now);
        this.refusals += slots.refuse(now - this.options.waitMs);
        if (slots.waiting === 0) this.queued.delete(slots);
        this.check(slots);
      }
      if (this.queued.size > 0) this.look();
    }, LOOK_EVERY_MS);
  }
}
