/** The two jobs that look at levels: those that are noted, and all. */
import { Injectable } from '@nestjs/common';
import { HandlesJob, type JobContext, type JobHandler } from '#libs/queues';
import { type AlertCheckpoint, AlertChecks } from './alert-checks';
import { CHECK_ALERTS, LOW_STOCK } from './low-stock.jobs';

@Injectable()
@HandlesJob(LOW_STOCK)
export class LowStockHandler implements JobHandler<object, AlertCheckpoint> {
  constructor(private readonly checks: AlertChecks) {}

  run(context: JobContext<object, AlertCheckpoint>) {
    return this.checks.noted(context);
  }
}

@Injectable()
@HandlesJob(CHECK_ALERTS)
export class CheckAlertsHandler implements JobHandler<object, AlertCheckpoint> {
  constructor(private readonly checks: AlertChecks) {}

  run(context: JobContext<object, AlertCheckpoint>) {
    return this.checks.all(context);
  }
}
