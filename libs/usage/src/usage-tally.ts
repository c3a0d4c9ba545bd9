/**
 * What was counted and is not yet known to be written. Per tenant: amounts are *counted* by metric and hour; the next flush
 * *seals* them into a batch with a number; a batch leaves when it is confirmed. A batch whose outcome is unknown stays as it
 * is and goes out again with the same number and content, before anything younger. The database applies a writer's batches
 * by rising number only, so that whichever of the copies arrives, and when, the batch counts once. (The scheme of Kafka's
 * idempotent producer, KIP-98: a writer's id and a sequence number.)
 */
import { newId } from '#libs/kernel';

/** What one hour added to one metric. */
export interface UsageIncrement {
  readonly metric: string;
  /** Start of the hour in UTC. */
  readonly periodStart: Date;
  readonly value: number;
}

export interface UsageBatch {
  /** This life of this process. */
  readonly writer: string;
  /** Rises with every batch of the writer, from 1. */
  readonly number: number;
  readonly increments: readonly UsageIncrement[];
}

export class UsageTally {
  private readonly writer = newId();
  private readonly counted = new Map<string, Map<string, UsageIncrement>>();
  private readonly sealed = new Map<string, UsageBatch>();
  private lastNumber = 0;

  add(organizationId: string, { metric, periodStart, value }: UsageIncrement): void {
    const counts = this.counted.get(organizationId) ?? new Map<string, UsageIncrement>();
    this.counted.set(organizationId, counts);
    const key = `${periodStart.getTime()}:${metric}`;
    counts.set(key, { metric, periodStart, value: (counts.get(key)?.value ?? 0) + value });
  }

  /** Tenants of which something is not written. */
  tenants(): string[] {
    return [...new Set([...this.sealed.keys(), ...this.counted.keys()])];
  }

  /** Whether a batch of the tenant has gone out and was not confirmed. */
  isOwing(organizationId: string): boolean {
    return this.sealed.has(organizationId);
  }

  /** The batch to send: the unconfirmed one, else what was counted since; undefined when there is nothing. */
  next(organizationId: string): UsageBatch | undefined {
    const unconfirmed = this.sealed.get(organizationId);
    const counts = this.counted.get(organizationId);
    if (unconfirmed || !counts) return unconfirmed;
    this.lastNumber += 1;
    const batch = { writer: this.writer, number: this.lastNumber, increments: [...counts.values()] };
    this.counted.delete(organizationId);
    this.sealed.set(organizationId, batch);
    return batch;
  }

  /** The tenant's batch is in the database. */
  confirm(organizationId: string): void {
    this.sealed.delete(organizationId);
  }

  /** Nobody will ever ask for the usage of this tenant. */
  forget(organizationId: string): void {
    this.sealed.delete(organizationId);
    this.counted.delete(organizationId);
  }
}
