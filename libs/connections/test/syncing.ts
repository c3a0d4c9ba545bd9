/** A worker with syncs inside a spec, a tenant with products, and what came of them. */
import { newId } from '#libs/kernel';
import { type Job, JobService } from '#libs/queues';
import { createOrganization, type FeedRow, type TestEnvironment, waitFor } from '#libs/testing';
import { type WorkerUnderTest, workerUnderTest } from '../../queues/test/worker-under-test';
import { CONNECTION_JOBS, ConnectionsModule, ConnectionsWorkerModule, INVENTORY_SYNC } from '../src';

export const SYNC_VARIABLES = {
  OUTBOX_POLL_MS: '50',
  OUTBOUND_HTTP: 'on',
  OUTBOUND_PRIVATE_ADDRESSES: '127.0.0.1',
  SYNC_TRY_MS: '600',
} as const;

export const sku = (index: number): string => `SKU-${String(index).padStart(5, '0')}`;
/** A row whose count follows from its index, never 0. */
export const row = (index: number): FeedRow => ({ sku: sku(index), on_hand: (index % 97) + 1 });
export const rows = (count: number): FeedRow[] => Array.from({ length: count }, (_, index) => row(index));

export interface ConnectionRow {
  readonly id: string;
  readonly cursor: string | null;
  readonly breaker_state: string;
  readonly breaker_failures: number;
  readonly breaker_openings: number;
  readonly breaker_trial: string | null;
  readonly pause: number | null;
  readonly last_job_id: string | null;
  readonly last_success_at: Date | null;
  readonly last_failure_code: string | null;
  readonly last_failure_message: string | null;
  readonly credentials_key: string | null;
}

export async function openSyncWorker(config: TestEnvironment['config']): Promise<WorkerUnderTest> {
  const imports = [ConnectionsModule, ConnectionsWorkerModule];
  return workerUnderTest({ config, jobs: CONNECTION_JOBS, handlers: [], imports });
}

export class Syncing {
  private constructor(
    private readonly env: TestEnvironment,
    readonly organization: string,
  ) {}

  /** A tenant with as many products. */
  static async of(env: TestEnvironment, products: number): Promise<Syncing> {
    const { id } = await createOrganization(env);
    await env.query(
      `insert into products (organization_id, id, sku, name, currency)
       select $1, gen_random_uuid(), 'SKU-' || lpad(n::text, 5, '0'), 'Product', 'GBP' from generate_series(0, $2 - 1) n`,
      [id, products],
    );
    return new Syncing(env, id);
  }

  async connect(url: string, values: Record<string, unknown> = {}): Promise<string> {
    const entries = Object.entries({ organization_id: this.organization, id: newId(), name: newId(), url, ...values });
    const holes = entries.map((_, index) => `$${index + 1}`).join(', ');
    const names = entries.map(([name]) => name).join(', ');
    const [made] = await this.env.query<{ id: string }>(
      `insert into connections (${names}) values (${holes}) returning id`,
      entries.map(([, value]) => value),
    );
    return made!.id;
  }

  async connection(id: string): Promise<ConnectionRow> {
    const found = await this.env.query<ConnectionRow>(
      `select *, (extract(epoch from breaker_retry_at - now()) * 1000)::float8 as pause from connections where id = $1`,
      [id],
    );
    return found[0]!;
  }

  change(id: string, set: string): Promise<unknown> {
    return this.env.query(`update connections set ${set} where id = $1`, [id]);
  }

  ask(worker: WorkerUnderTest, connection_id: string): Promise<Job> {
    const newJob = { definition: INVENTORY_SYNC, payload: { connection_id } };
    return worker.asTenant(this.organization, () => worker.app.get(JobService).create(newJob));
  }

  async job(id: string): Promise<Job & { result: Record<string, unknown> }> {
    return (
      await this.env.query<Job & { result: Record<string, unknown> }>('select * from jobs where id = $1', [id])
    )[0]!;
  }

  ended(id: string, timeoutMs = 30_000): Promise<Job & { result: Record<string, unknown> }> {
    const probe = async () => {
      const job = await this.job(id);
      return ['completed', 'failed', 'cancelled'].includes(job.state) ? job : undefined;
    };
    return waitFor(probe, { what: 'the sync to end', timeoutMs });
  }

  async sync(worker: WorkerUnderTest, connectionId: string): Promise<Job & { result: Record<string, unknown> }> {
    return this.ended((await this.ask(worker, connectionId)).id);
  }

  /** Levels with the sum and the number of their movements. */
  stock(): Promise<{ sku: string; on_hand: number; moved: number; movements: number }[]> {
    return this.env.query(
      `select p.sku, l.on_hand::int, coalesce(sum(m.quantity), 0)::int as moved, count(m.id)::int as movements
       from products p join stock_levels l on l.organization_id = p.organization_id and l.product_id = p.id
       left join stock_movements m on m.organization_id = l.organization_id and m.product_id = l.product_id
         and m.location_id = l.location_id
       where p.organization_id = $1 group by p.sku, l.on_hand, l.location_id order by p.sku`,
      [this.organization],
    );
  }

  async log(id: string): Promise<string[]> {
    const lines = await this.env.query<{ message: string }>(
      'select message from job_log where job_id = $1 order by line',
      [id],
    );
    return lines.map(({ message }) => message);
  }

  lineErrors(id: string): Promise<{ line: number; code: string; message: string }[]> {
    return this.env.query('select line::int, code, message from job_line_errors where job_id = $1 order by line', [id]);
  }
}

/** What `rows(count)` makes of a tenant without stock: each counted once. */
export const expectedStock = (count: number) =>
  rows(count).map(({ sku: name, on_hand }) => ({ sku: name, on_hand, moved: on_hand, movements: 1 }));
