/**
 * What was counted and is not yet known to be written. Per tenant: amounts are *counted* by metric and hour, and by activity and
 * minute; the next flush *seals* them into a batch with a number; a batch leaves when it is confirmed. A batch whose outcome is
 * unknown stays as it is and goes out again with the same number and content, before anything younger. The database applies a
 * writer's batches by rising number only, so that whichever of the copies arrives, and when, the batch counts once. (The scheme
 * of Kafka's idempotent producer, KIP-98: a writer's id and a sequence number.)
 */
import { newId } from '#libs/kernel';
import { ActivityCell, type Amounts, WHOLE, wholeOf } from './activity/activity-cell';

/** What one hour added to one metric. */
export interface UsageIncrement {
  readonly metric: string;
  /** Start of the hour in UTC. */
  readonly periodStart: Date;
  readonly value: number;
}

/** What one minute added to one activity. */
export interface ActivityIncrement extends Amounts {
  /** Start of the minute in UTC. */
  readonly minute: Date;
  readonly activity: string;
  /** Sorted pairs of a LatencySketch. */
  readonly latencies: readonly number[];
}

export interface UsageBatch {
  /** This life of this process. */
  readonly writer: string;
  /** Rises with every batch of the writer, from 1. */
  readonly number: number;
  readonly increments: readonly UsageIncrement[];
  readonly activity: readonly ActivityIncrement[];
}

/** Cells by activity, by the start of their minute in milliseconds. */
type Minutes = Map<number, Map<string, ActivityCell>>;

const HOUR_MS = 3_600_000;
/** Minutes of a tenant that wait by themselves. With more, the database is away, and elder ones are kept by the hour. */
const MOST_MINUTES = 10;

class Counted {
  readonly usage = new Map<string, UsageIncrement>();
  readonly minutes: Minutes = new Map();
}

export class UsageTally {
  private readonly writer = newId();
  private readonly counted = new Map<string, Counted>();
  private readonly sealed = new Map<string, UsageBatch>();
  private lastNumber = 0;

  add(organizationId: string, { metric, periodStart, value }: UsageIncrement): void {
    const { usage } = this.countedOf(organizationId);
    const key = `${periodStart.getTime()}:${metric}`;
    usage.set(key, { metric, periodStart, value: (usage.get(key)?.value ?? 0) + value });
  }

  /** The cell to count in now. It is not to be kept: the next flush seals it. */
  cell(organizationId: string, activity: string, minuteMs: number): ActivityCell {
    const { minutes } = this.countedOf(organizationId);
    let cells = minutes.get(minuteMs);
    if (!cells) {
      minutes.set(minuteMs, (cells = new Map<string, ActivityCell>()));
      if (minutes.size > MOST_MINUTES) fold(minutes);
    }
    return cellIn(cells, activity);
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
    const batch = {
      writer: this.writer,
      number: this.lastNumber,
      increments: [...counts.usage.values()],
      activity: incrementsOf(counts.minutes),
    };
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

  private countedOf(organizationId: string): Counted {
    let counts = this.counted.get(organizationId);
    if (!counts) this.counted.set(organizationId, (counts = new Counted()));
    return counts;
  }
}

function cellIn(cells: Map<string, ActivityCell>, activity: string): ActivityCell {
  let cell = cells.get(activity);
  if (!cell) cells.set(activity, (cell = new ActivityCell()));
  return cell;
}

/** Counts the oldest minute to the first one of its hour, unless it is that. */
function fold(minutes: Minutes): void {
  const oldest = [...minutes.keys()].filter((minuteMs) => minuteMs % HOUR_MS > 0).sort((a, b) => a - b)[0];
  if (oldest === undefined) return;
  const hourMs = oldest - (oldest % HOUR_MS);
  const hour = minutes.get(hourMs) ?? new Map<string, ActivityCell>();
  for (const [activity, cell] of minutes.get(oldest)!) cellIn(hour, activity).absorb(cell);
  minutes.delete(oldest);
  minutes.set(hourMs, hour);
}

/** Of each minute the activities, and all of them as the whole. */
function incrementsOf(minutes: Minutes): ActivityIncrement[] {
  return [...minutes].flatMap(([minuteMs, cells]) =>
    [...cells.set(WHOLE, wholeOf(cells))].map(([activity, { amounts, latencies }]) => ({
      ...amounts,
      ...{ minute: new Date(minuteMs), activity, latencies: latencies.pairs() },
    })),
  );
}
