/** Everything that a tenant is made of, removed part by part on every shard and server, and counted. Each part can be repeated. */
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { countRows, deleteRows, inTenantChange, ShardConnections, tenantTables } from '#libs/database';
import { StockyardError } from '#libs/kernel';
import { TenantJobs } from '#libs/queues';
import { FileStore } from '#libs/storage';
import { putPlace, removePlace } from '../directory/place';
import type { OrganizationRecord } from '../directory/organization-records';
import { TenantKeys } from './tenant-keys';

/** Rows by `shard.table`. */
export type RowCounts = Readonly<Record<string, number>>;

export interface TraceCounts {
  readonly rows: RowCounts;
  readonly places: number;
  readonly jobs: number;
  readonly keys: number;
  readonly files: number;
}

const BATCH = 5_000;
const JOB_PAUSE_MS = 200;
/** A job that is refused everything ends long before. */
const JOB_PATIENCE_MS = 60_000;

@Injectable()
export class TenantTraces {
  constructor(
    private readonly shards: ShardConnections,
    private readonly jobs: TenantJobs,
    private readonly keys: TenantKeys,
    private readonly files: FileStore,
  ) {}

  /** Nobody can enter any more, and whoever was inside has left, on every shard where the tenant has a place. */
  async fence(tenant: string, { shard: home, epoch, tier }: OrganizationRecord): Promise<void> {
    for (const shard of this.shards.shards) {
      await this.shards.use(shard, 'mover', async (client) => {
        const { rowCount } = await client.query('select from tenant_places where tenant = $1', [tenant]);
        if (rowCount === 0 && shard !== home) return;
        await putPlace(client, { tenant, epoch, tier, state: 'deleting' });
        await inTenantChange(client, tenant, () => Promise.resolve());
      });
    }
  }

  /** Deletes rows in batches, children before parents; tells how many after each batch. */
  async deleteRows(tenant: string, tell: (table: string, rows: number) => void, signal: AbortSignal): Promise<void> {
    for (const shard of this.shards.shards) {
      await this.shards.use(shard, 'mover', async (client) => {
        for (const table of (await tenantTables(client)).toReversed()) {
          for (let rows = BATCH; rows === BATCH;) {
            signal.throwIfAborted();
            rows = await inTenantChange(client, tenant, () => deleteRows(client, tenant, table, BATCH));
            if (rows > 0) tell(`${shard}.${table.name}`, rows);
          }
        }
      });
    }
  }

  /** Removes jobs, waiting for those that a worker has. Throws `jobs_running` (503) when one does not end. */
  async deleteJobs(tenant: string, signal: AbortSignal): Promise<number> {
    const until = performance.now() + JOB_PATIENCE_MS;
    let sum = 0;
    for (;;) {
      signal.throwIfAborted();
      const { removed, active } = await this.jobs.removeAll(tenant);
      sum += removed;
      if (active === 0) return sum;
      if (performance.now() > until) throw jobsRunning(active);
      await delay(JOB_PAUSE_MS, undefined, { signal });
    }
  }

  deleteKeys(tenant: string): Promise<number> {
    return this.keys.deleteAll(tenant);
  }

  deleteFiles(): Promise<number> {
    return this.files.deleteAll();
  }

  async deletePlaces(tenant: string): Promise<number> {
    let removed = 0;
    for (const shard of this.shards.shards) {
      removed += await this.shards.use(shard, 'control', (client) => removePlace(client, tenant));
    }
    return removed;
  }

  /** What is there now; every tenant table of the catalogs is named. Jobs count where they could be removed only now. */
  async count(tenant: string, signal: AbortSignal): Promise<TraceCounts> {
    const rows: Record<string, number> = {};
    let places = 0;
    for (const shard of this.shards.shards) {
      await this.shards.use(shard, 'mover', async (client) => {
        const { rowCount } = await client.query('select from tenant_places where tenant = $1', [tenant]);
        places += rowCount ?? 0;
        for (const table of await tenantTables(client)) {
          const key = `${shard}.${table.name}`;
          rows[key] = await inTenantChange(client, tenant, () => countRows(client, tenant, table));
        }
      });
    }
    const jobs = await this.deleteJobs(tenant, signal);
    const keys = await this.keys.count(tenant);
    const files: string[] = [];
    for await (const { key } of this.files.list()) files.push(key);
    return { rows, places, jobs, keys, files: files.length };
  }
}

function jobsRunning(active: number): StockyardError {
  return new StockyardError({
    code: 'jobs_running',
    category: 'unavailable',
    message: `${active} jobs of the organization have not ended yet.`,
    details: { active },
  });
}
