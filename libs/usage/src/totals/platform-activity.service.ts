/**
 * What all tenants did, period by period. Sums of periods that nothing is added to any more are kept, so that a look at the last hours
 * reads the last minutes. A period settles SETTLES_MS after its end: a process writes every few seconds, and after an outage what it
 * kept. Until then those that ended long ago are read anew once a minute, and the youngest at each look.
 */
import { Injectable } from '@nestjs/common';
import { Clock } from '#libs/kernel';
import type { Granularity } from '../activity/activity.repository';
import { ActivityTotalsRepository, type ByTier } from './activity-totals.repository';
import { type TimePart, UNIT_MS } from './time-parts';

const SETTLES_MS = 900_000;
const YOUNG_MS = 120_000;
const AGAIN_MS = 60_000;
/** Of one statement: many tenants' minutes take it a while. */
const PERIODS_AT_ONCE = 60;
/** The longest range in its unit, and what the hours of a week take. */
const KEPT_PERIODS = 400;

interface Kept {
  readonly tiers: ByTier;
  readonly readAt: number;
}

export interface PlatformActivity {
  /** By the start of the period in milliseconds, oldest first; without periods in which nothing happened. */
  readonly periods: ReadonlyMap<number, ByTier>;
  /** Shards whose part is missing, or may be. */
  readonly missing: readonly string[];
}

const NOTHING: ByTier = new Map();

@Injectable()
export class PlatformActivityService {
  private readonly kept: Readonly<Record<Granularity, Map<number, Kept>>> = {
    minute: new Map(),
    hour: new Map(),
    day: new Map(),
  };
  /** One after another: the next finds what the one before has read. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly repository: ActivityTotalsRepository,
    private readonly clock: Clock,
  ) {}

  /** Never rejects. */
  read(part: TimePart): Promise<PlatformActivity> {
    const reading = this.last.then(() => this.readNow(part));
    this.last = reading.catch(() => undefined);
    return reading;
  }

  private async readNow(part: TimePart): Promise<PlatformActivity> {
    const kept = this.kept[part.unit];
    const fresh = new Map<number, ByTier>();
    const missing = new Set<string>();
    for (const run of this.toRead(part)) {
      const readAt = this.clock.nowMs();
      const sums = await this.repository.ofPlatform(run);
      for (const shard of sums.missing) missing.add(shard);
      for (let start = run.from; start < run.to; start += UNIT_MS[run.unit]) {
        const tiers = sums.periods.get(start) ?? NOTHING;
        fresh.set(start, tiers);
        if (sums.complete) kept.set(start, { tiers, readAt });
      }
    }
    const periods = new Map<number, ByTier>();
    for (let start = part.from; start < part.to; start += UNIT_MS[part.unit]) {
      const tiers = fresh.get(start) ?? kept.get(start)?.tiers ?? NOTHING;
      if (tiers.size > 0) periods.set(start, tiers);
    }
    this.forget(kept);
    return { periods, missing: [...missing] };
  }

  /** What has to be read, in runs of periods that follow each other. */
  private toRead({ unit, from, to }: TimePart): TimePart[] {
    const runs: { unit: Granularity; from: number; to: number }[] = [];
    const width = UNIT_MS[unit];
    for (let start = from; start < to; start += width) {
      if (this.isKept(unit, start)) continue;
      const run = runs.at(-1);
      if (run?.to === start && run.to - run.from < PERIODS_AT_ONCE * width) run.to += width;
      else runs.push({ unit, from: start, to: start + width });
    }
    return runs;
  }

  private isKept(unit: Granularity, start: number): boolean {
    const kept = this.kept[unit].get(start);
    if (!kept) return false;
    const end = start + UNIT_MS[unit];
    if (kept.readAt >= end + SETTLES_MS) return true;
    const now = this.clock.nowMs();
    return now >= end + YOUNG_MS && now - kept.readAt < AGAIN_MS && kept.readAt >= end + YOUNG_MS;
  }

  private forget(kept: Map<number, Kept>): void {
    const starts = [...kept.keys()].sort((a, b) => a - b);
    for (const start of starts.slice(0, Math.max(0, starts.length - KEPT_PERIODS))) kept.delete(start);
  }
}
