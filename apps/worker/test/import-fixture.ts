/** Import files and what should come of them. */
import type { INestApplicationContext } from '@nestjs/common';
import { BULK_IMPORT } from '#libs/bulk';
import { newId } from '#libs/kernel';
import { type Job, JobService } from '#libs/queues';
import { FileStore } from '#libs/storage';
import { TenantContextHolder } from '#libs/tenancy';
import { type TestEnvironment, waitFor } from '#libs/testing';

export const HEADER = 'sku,name,description,price,currency,location,on_hand';

export const sku = (index: number): string => `SKU-${String(index).padStart(6, '0')}`;
/** A good line; its count follows from its index. */
export const line = (index: number): string => `${sku(index)},Product ${index},,${index % 100}.50,GBP,,${index % 97}`;

export const goodFile = (lines: number): string =>
  [HEADER, ...Array.from({ length: lines }, (_, index) => line(index))].join('\n');

export function asTenant<T>(app: INestApplicationContext, organizationId: string, work: () => Promise<T>): Promise<T> {
  const context = { actor: { type: 'system', id: null }, permissions: new Set<string>(), requestId: newId() } as const;
  return app.get(TenantContextHolder).run({ organizationId, ...context }, work);
}

/** Stores the file and queues its import, as the api does. */
export function queueImport(app: INestApplicationContext, organizationId: string, text: string): Promise<Job> {
  return asTenant(app, organizationId, async () => {
    const id = newId();
    const stored = await app.get(FileStore).put(`imports/${id}.csv`, bytesOf(text), { maxBytes: 1e9 });
    const total = text.split('\n').length - 1;
    return app.get(JobService).create({ definition: BULK_IMPORT, payload: stored, id, total });
  });
}

async function* bytesOf(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

export function jobRow(env: TestEnvironment, id: string): Promise<Job> {
  return env.query<Job>('select * from jobs where id = $1', [id]).then(([row]) => row!);
}

export function finishedJob(env: TestEnvironment, id: string, timeoutMs = 45_000): Promise<Job> {
  const probe = async () => {
    const job = await jobRow(env, id);
    return ['completed', 'failed', 'cancelled'].includes(job.state) ? job : undefined;
  };
  return waitFor(probe, { what: 'the end of the job', timeoutMs });
}

export interface StockRow {
  readonly sku: string;
  readonly on_hand: number;
  readonly moved: number;
  readonly movements: number;
}

/** Levels beside the sum and the number of their movements. */
export function stock(env: TestEnvironment, organizationId: string): Promise<StockRow[]> {
  return env.query<StockRow>(
    `select p.sku, l.on_hand::int, coalesce(sum(m.quantity), 0)::int as moved, count(m.id)::int as movements
     from products p join stock_levels l on l.organization_id = p.organization_id and l.product_id = p.id
     left join stock_movements m on m.organization_id = l.organization_id and m.product_id = l.product_id
       and m.location_id = l.location_id
     where p.organization_id = $1 group by p.sku, l.on_hand, l.location_id order by p.sku, l.on_hand`,
    [organizationId],
  );
}

export function lineErrors(
  env: TestEnvironment,
  id: string,
): Promise<{ line: number; code: string; field: string | null }[]> {
  return env.query('select line::int, code, field from job_line_errors where job_id = $1 order by line', [id]);
}

/** What `goodFile(lines)` makes of an empty organization. */
export const expectedStock = (lines: number): StockRow[] =>
  Array.from({ length: lines }, (_, index) => ({
    sku: sku(index),
    on_hand: index % 97,
    moved: index % 97,
    movements: index % 97 === 0 ? 0 : 1,
  }));
