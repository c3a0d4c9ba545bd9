/** The two jobs of the reconciliation: to look, and to put right. */
import { Injectable } from '@nestjs/common';
import { HandlesJob, type JobContext, type JobHandler } from '#libs/queues';
import { INVENTORY_RECONCILE, INVENTORY_REPAIR } from './reconcile.jobs';
import { type ReconcileCheckpoint, Reconciliation } from './reconciliation';

@Injectable()
@HandlesJob(INVENTORY_RECONCILE)
export class ReconcileHandler implements JobHandler<object, ReconcileCheckpoint> {
  constructor(private readonly reconciliation: Reconciliation) {}

  run(context: JobContext<object, ReconcileCheckpoint>) {
    return this.reconciliation.run(context, { repairs: false });
  }
}

@Injectable()
@HandlesJob(INVENTORY_REPAIR)
export class RepairHandler implements JobHandler<object, ReconcileCheckpoint> {
  constructor(private readonly reconciliation: Reconciliation) {}

  run(context: JobContext<object, ReconcileCheckpoint>) {
    return this.reconciliation.run(context, { repairs: true });
  }
}
