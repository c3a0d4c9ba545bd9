/**
 * Sums over all tenants of all shards, by period and tier or by tenant. A tenant counts once, also while it moves: of two shards
 * that have it, the one with the greater epoch.
 */
import { Injectable } from '@nestjs/common';
import { ShardFanOut, Shards } from '#libs/database';
import type { Tier } from '#libs/tenancy';
import { ActivityCell, type Amounts, AMOUNTS } from '../activity/activity-cell';
import { GRANULARITIES, type Granularity } from '../activity/activity.repository';
import type { TimePart } from './time-parts';

/** Sums of thirty days take a while the first time. */
const PATIENCE_MS = 20_000;
const NOBODY: readonly string[] = [];

interface Sum extends Amounts {
  readonly latencies: readonly number[];
}

interface SumOfPeriod extends Sum {
  readonly period_start: string;
  readonly tier: Tier;
}

interface SumOfTenant extends Sum {
  readonly organization_id: string;
  readonly epoch: number;
}

/** Of a shard at one moment: its sums, and who is on it where there are other shards. */
interface PlatformAnswer {
  readonly sums: readonly SumOfPeriod[];
  readonly places: readonly (readonly [tenant: string, epoch: number, state: string])[] | null;
}

export type ByTier = ReadonlyMap<Tier, ActivityCell>;

export interface PlatformSums {
  /** By the start of the period in milliseconds; periods in which nothing happened are left out. */
  readonly periods: ReadonlyMap<number, ByTier>;
  /** Shards that did not answer. */
  readonly missing: readonly string[];
  /** Whether every tenant was counted: none is between two shards. */
  readonly complete: boolean;
}

export interface TenantSums {
  readonly tenants: ReadonlyMap<string, ActivityCell>;
  readonly missing: readonly string[];
}

const platformSums = (unit: Granularity) => `
  select (select coalesce(json_agg(u), '[]') from platform_${unit}s($1, $2, $3) u) as sums,
    case when $4 then (select coalesce(json_agg(json_build_array(tenant, epoch, state)), '[]') from tenant_places
      where state <> 'moved') end as places`;
const PLATFORM = Object.fromEntries(GRANULARITIES.map((unit) => [unit, platformSums(unit)])) as Record<
  Granularity,
  string
>;
const COLUMNS = AMOUNTS.map((name) => `u.${name}::double precision`).join(', ');

@Injectable()
export class ActivityTotalsRepository {
  constructor(
    private readonly shards: Shards,
    private readonly fanOut: ShardFanOut,
  ) {}

  /** Never rejects. */
  async ofPlatform({ unit, from, to }: TimePart): Promise<PlatformSums> {
    const several = this.shards.all().length > 1;
    const ask = async (shard: string, without: readonly string[]): Promise<PlatformAnswer> => {
      const values = [new Date(from), new Date(to), without, several];
      return (await this.shards.pool(shard, 'control').query<PlatformAnswer>(PLATFORM[unit], values)).rows[0]!;
    };
    const { answers, missing } = await this.fanOut.ask(({ name }) => ask(name, NOBODY), PATIENCE_MS);
    const elsewhere = countedElsewhere(answers);
    const away = [...missing];
    const periods = new Map<number, Map<Tier, ActivityCell>>();
    for (const { shard, value } of answers) {
      const without = elsewhere.get(shard);
      const answer = without ? await ask(shard, without).catch(() => undefined) : value;
      if (answer) add(periods, answer.sums);
      else away.push(shard);
    }
    return { periods, missing: away, complete: away.length === 0 && !someoneArrives(answers) };
  }

  /** What each tenant did that did anything. Never rejects. */
  async ofTenants(parts: readonly TimePart[]): Promise<TenantSums> {
    const sql = parts
      .map(
        ({ unit }, index) =>
          `select u.organization_id, u.epoch, ${COLUMNS}, u.latencies::double precision[]
           from tenants_${unit}s($${2 * index + 1}, $${2 * index + 2}) u`,
      )
      .join(' union all ');
    const values = parts.flatMap(({ from, to }) => [new Date(from), new Date(to)]);
    const { answers, missing } = await this.fanOut.ask(
      async ({ name }) => (await this.shards.pool(name, 'control').query<SumOfTenant>(sql, values)).rows,
      PATIENCE_MS,
    );
    const newest = new Map<string, { readonly shard: string; readonly epoch: number; readonly cell: ActivityCell }>();
    for (const { shard, value } of answers) {
      for (const row of value) {
        const known = newest.get(row.organization_id);
        const cell = ActivityCell.of(row);
        if (known?.shard === shard) known.cell.absorb(cell);
        else if (!known || known.epoch < row.epoch) newest.set(row.organization_id, { shard, epoch: row.epoch, cell });
      }
    }
    return { tenants: new Map([...newest].map(([id, { cell }]) => [id, cell])), missing };
  }
}

type Answers = readonly { readonly shard: string; readonly value: PlatformAnswer }[];

/** By shard the tenants that another one has with a greater epoch, or with the same and stands before it. */
function countedElsewhere(answers: Answers): ReadonlyMap<string, readonly string[]> {
  const newest = new Map<string, { readonly shard: string; readonly epoch: number }>();
  const elsewhere = new Map<string, string[]>();
  const leave = (shard: string, tenant: string) => elsewhere.set(shard, [...(elsewhere.get(shard) ?? []), tenant]);
  for (const { shard, value } of answers) {
    for (const [tenant, epoch, state] of value.places ?? []) {
      if (state === 'arriving') continue;
      const known = newest.get(tenant);
      if (known && known.epoch >= epoch) {
        leave(shard, tenant);
        continue;
      }
      if (known) leave(known.shard, tenant);
      newest.set(tenant, { shard, epoch });
    }
  }
  return elsewhere;
}

function someoneArrives(answers: Answers): boolean {
  return answers.some(({ value }) => (value.places ?? []).some(([, , state]) => state === 'arriving'));
}

function add(periods: Map<number, Map<Tier, ActivityCell>>, sums: readonly SumOfPeriod[]): void {
  for (const sum of sums) {
    const start = new Date(sum.period_start).getTime();
    const tiers = periods.get(start) ?? new Map<Tier, ActivityCell>();
    periods.set(start, tiers);
    const known = tiers.get(sum.tier);
    const cell = ActivityCell.of(sum);
    if (known) known.absorb(cell);
    else tiers.set(sum.tier, cell);
  }
}
