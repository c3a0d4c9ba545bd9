/** Asks for a reconciliation on behalf of the platform's operators. */
import { Injectable } from '@nestjs/common';
import { AuditService } from '#libs/audit';
import { notFound } from '#libs/database';
import { JobService, jobView, type JobView } from '#libs/queues';
import { INVENTORY_RECONCILE, INVENTORY_REPAIR, RECONCILE_JOBS } from './reconcile.jobs';

const ONE = 'one';
const TYPES: ReadonlySet<string> = new Set(RECONCILE_JOBS.map(({ type }) => type));

@Injectable()
export class ReconcileService {
  constructor(
    private readonly jobs: JobService,
    private readonly audit: AuditService,
  ) {}

  /** Resolves with the new job, or with the one of the same kind that is under way. The request stands in the audit log. */
  async request({ repair }: { readonly repair: boolean }): Promise<JobView> {
    const definition = repair ? INVENTORY_REPAIR : INVENTORY_RECONCILE;
    const job = await this.jobs.create({ definition, payload: {}, dedupeKey: ONE });
    await this.audit.record({
      action: repair ? 'stock.repair_requested' : 'stock.reconcile_requested',
      targetType: 'job',
      targetId: job.id,
    });
    return jobView(job);
  }

  /** Throws `not_found` for an unknown id and for a job of another type. */
  async get(id: string): Promise<JobView> {
    const job = await this.jobs.get(id);
    if (!TYPES.has(job.type)) throw notFound();
    return jobView(job);
  }
}
