/** What every tenant of every shard used, for what it cost. Numbers alone: no shard tells this role what was done. */
import { Injectable } from '@nestjs/common';
import { ShardFanOut, Shards } from '#libs/database';
import { StockyardError } from '#libs/kernel';
import type { CostPeriod } from './cost-period';
import type { TenantUse } from './cost-split';

const USE = `select organization_id, epoch, weight, busy_us::text, database_us::text, byte_hours::text, bytes_out::text
  from tenant_use($1, $2)`;
/** Sums over a year of many tenants take a while. */
const PATIENCE_MS = 20_000;

interface UseRow {
  readonly organization_id: string;
  readonly epoch: number;
  readonly weight: number;
  readonly busy_us: string;
  readonly database_us: string;
  readonly byte_hours: string;
  readonly bytes_out: string;
}

@Injectable()
export class CostRepository {
  constructor(
    private readonly shards: Shards,
    private readonly fanOut: ShardFanOut,
  ) {}

  /** By organization. Throws `costs_incomplete` (503) while a shard is away: a bill that is split without it is split wrong. */
  async use({ from, to }: CostPeriod): Promise<TenantUse[]> {
    const { answers, missing } = await this.fanOut.ask(
      async ({ name }) => (await this.shards.pool(name, 'control').query<UseRow>(USE, [from, to])).rows,
      PATIENCE_MS,
    );
    if (missing.length > 0) throw incomplete(missing);
    const newest = new Map<string, UseRow>();
    for (const row of answers.flatMap(({ value }) => value)) {
      const known = newest.get(row.organization_id);
      if (!known || known.epoch < row.epoch) newest.set(row.organization_id, row);
    }
    return [...newest.values()].map(useOf).sort((a, b) => (a.organizationId < b.organizationId ? -1 : 1));
  }
}

function useOf(row: UseRow): TenantUse {
  return {
    organizationId: row.organization_id,
    weight: row.weight,
    compute: BigInt(row.busy_us),
    database: BigInt(row.database_us),
    storage: BigInt(row.byte_hours),
    egress: BigInt(row.bytes_out),
  };
}

function incomplete(missing: readonly string[]): StockyardError {
  return new StockyardError({
    code: 'costs_incomplete',
    category: 'unavailable',
    message: `The shards ${missing.join(', ')} do not answer, and what their tenants used is part of every tenant's costs. Retry.`,
    retryAfterSeconds: 5,
  });
}
