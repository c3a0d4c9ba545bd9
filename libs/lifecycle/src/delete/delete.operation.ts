/**
 * Deletes a tenant and proves that nothing of it is left.
 *
 * - `fence`: the directory and the places say `deleting`; whoever was inside has left
 * - `rows`: in batches, children before parents, the outbox with them: no new job can come
 * - `jobs`, `keys`, `files`
 * - `directory`: the organization and its places go
 * - `prove`: counts everything again, by the catalogs; the operation is the tombstone that keeps the counts
 *
 * Only goes forward. Counts of what was deleted are what finished steps have seen: after a lost worker they may be short.
 */
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { StockyardError } from '#libs/kernel';
import { OrganizationRecords } from '../directory/organization-records';
import type { Facts } from '../operation/operation';
import { OperationHandler, OperationHandlers, type StepContext } from '../operation/operation-handler';
import { organizationNotFound } from '../operation/operation.error';
import { type RowCounts, type TraceCounts, TenantTraces } from './tenant-traces';

interface DeleteMemory extends Facts {
  readonly slug: string;
  readonly epoch: number;
  readonly deleted: Partial<TraceCounts> & { readonly organizations?: number };
  readonly left?: TraceCounts;
}

@Injectable()
export class DeleteOperation extends OperationHandler implements OnModuleInit {
  override readonly kind = 'delete';
  override readonly steps = ['fence', 'rows', 'jobs', 'keys', 'files', 'directory', 'prove'] as const;
  override readonly pointOfNoReturn = 'fence';

  constructor(
    private readonly handlers: OperationHandlers,
    private readonly records: OrganizationRecords,
    private readonly traces: TenantTraces,
  ) {
    super();
  }

  onModuleInit(): void {
    this.handlers.add(this);
  }

  override async runStep(step: string, memory: Facts, context: StepContext): Promise<Facts> {
    const { tenant } = context.operation;
    if (step === 'fence') return this.fence(tenant);
    const known = memory as DeleteMemory;
    if (step === 'prove') return this.prove(known, context);
    return { ...known, deleted: { ...known.deleted, ...(await this.remove(step, known, context)) } };
  }

  override async rollBack(): Promise<void> {
    // never asked for: from its first step on it only goes forward
  }

  override result(memory: Facts): Facts {
    return memory;
  }

  private async fence(tenant: string): Promise<DeleteMemory> {
    await this.records.markDeleting(tenant);
    const record = await this.records.find(tenant);
    if (!record) throw organizationNotFound();
    await this.traces.fence(tenant, record);
    return { slug: record.slug, epoch: record.epoch, deleted: {} };
  }

  private async remove(step: string, memory: DeleteMemory, context: StepContext): Promise<DeleteMemory['deleted']> {
    const { tenant } = context.operation;
    switch (step) {
      case 'rows':
        return { rows: await this.removeRows(memory, context) };
      case 'jobs':
        return { jobs: await this.traces.deleteJobs(tenant, context.signal) };
      case 'keys':
        return { keys: await this.traces.deleteKeys(tenant) };
      case 'files':
        return { files: await this.traces.deleteFiles() };
      default:
        return { organizations: await this.records.remove(tenant), places: await this.traces.deletePlaces(tenant) };
    }
  }

  private async removeRows({ deleted }: DeleteMemory, context: StepContext): Promise<RowCounts> {
    const rows: Record<string, number> = { ...deleted.rows };
    const tell = (table: string, count: number) => {
      rows[table] = (rows[table] ?? 0) + count;
      context.report({ rows: Object.values(rows).reduce((sum, number) => sum + number, 0) });
    };
    await this.traces.deleteRows(context.operation.tenant, tell, context.signal);
    return rows;
  }

  /** What slipped in before every process had heard (a key of a late request, a place put in line) is removed here. */
  private async prove(memory: DeleteMemory, context: StepContext): Promise<DeleteMemory> {
    const { tenant } = context.operation;
    await this.removeRows(memory, context);
    await this.traces.deletePlaces(tenant);
    await this.traces.deleteKeys(tenant);
    await this.traces.deleteFiles();
    const left = await this.traces.count(tenant, context.signal);
    const { rows, places, jobs, keys, files } = left;
    const total = [...Object.values(rows), places, jobs, keys, files].reduce((sum, number) => sum + number, 0);
    if (total > 0) throw tracesLeft(left);
    return { ...memory, left };
  }
}

function tracesLeft(left: TraceCounts): StockyardError {
  return new StockyardError({
    code: 'traces_left',
    category: 'unavailable',
    message: 'Something of the organization was still there; it is removed and counted again.',
    details: { ...left },
  });
}
