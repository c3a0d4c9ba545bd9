/** Asks for reports. Their files are handed out with those of other jobs. */
import { Injectable } from '@nestjs/common';
import { StockyardError } from '#libs/kernel';
import { type Job, JobService, jobView, type JobView } from '#libs/queues';
import {
  DEAD_STOCK_REPORT,
  LOW_STOCK_REPORT,
  SALES_REPORT,
  STOCK_MOVEMENTS_REPORT,
  STOCK_VALUATION_REPORT,
} from './report.jobs';
import type { CreateReport } from './report.shapes';

function refuse(param: string, message: string): never {
  throw new StockyardError({ code: 'invalid_value', category: 'invalid', param, message });
}

/** A day that the calendar has: `2026-02-30` is none. */
function checkDay(param: 'from' | 'to', day: string): void {
  const time = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(day)) refuse(param, `${day} is not a day.`);
}

function checkSpan({ from, to, time_zone }: { from: string; to: string; time_zone?: string }): void {
  checkDay('from', from);
  checkDay('to', to);
  if (to < from) refuse('to', 'The last day is before the first.');
  try {
    new Intl.DateTimeFormat('en', { timeZone: time_zone ?? 'UTC' });
  } catch {
    refuse('time_zone', 'No time zone has this name; use one of the IANA database, such as Europe/Berlin.');
  }
}

@Injectable()
export class ReportService {
  constructor(private readonly jobs: JobService) {}

  /** Throws `invalid_value` (400) for days that do not exist or stand in the wrong order, and for unknown time zones. */
  async create(request: CreateReport): Promise<JobView> {
    return jobView(await this.queue(request));
  }

  private async queue(request: CreateReport): Promise<Job> {
    if ('from' in request) checkSpan(request);
    switch (request.report) {
      case 'stock_valuation': {
        const { report: _, ...payload } = request;
        return this.jobs.create({ definition: STOCK_VALUATION_REPORT, payload });
      }
      case 'stock_movements': {
        const { report: _, ...payload } = request;
        return this.jobs.create({ definition: STOCK_MOVEMENTS_REPORT, payload });
      }
      case 'sales': {
        const { report: _, ...payload } = request;
        return this.jobs.create({ definition: SALES_REPORT, payload });
      }
      case 'dead_stock': {
        const { report: _, ...payload } = request;
        return this.jobs.create({ definition: DEAD_STOCK_REPORT, payload });
      }
      case 'low_stock': {
        const { report: _, ...payload } = request;
        return this.jobs.create({ definition: LOW_STOCK_REPORT, payload });
      }
    }
  }
}
