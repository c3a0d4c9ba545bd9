/** One handler a type of report: its source, written by the writer. */
import { Injectable } from '@nestjs/common';
import { Clock } from '#libs/kernel';
import { HandlesJob, type JobContext, type JobHandler } from '#libs/queues';
import {
  DEAD_STOCK_REPORT,
  LOW_STOCK_REPORT,
  SALES_REPORT,
  STOCK_MOVEMENTS_REPORT,
  STOCK_VALUATION_REPORT,
} from './report.jobs';
import type {
  DeadStockRequest,
  LowStockRequest,
  MovementsRequest,
  SalesRequest,
  ValuationRequest,
} from './report.shapes';
import { ReportWriter } from './report.writer';
import { deadStock } from './sources/dead-stock.source';
import { lowStock } from './sources/low-stock.source';
import { sales } from './sources/sales.source';
import { stockMovements } from './sources/stock-movements.source';
import { stockValuation } from './sources/stock-valuation.source';

@Injectable()
@HandlesJob(STOCK_VALUATION_REPORT)
export class StockValuationHandler implements JobHandler<ValuationRequest> {
  constructor(private readonly writer: ReportWriter) {}

  run(context: JobContext<ValuationRequest>) {
    return this.writer.write(context, stockValuation());
  }
}

@Injectable()
@HandlesJob(STOCK_MOVEMENTS_REPORT)
export class StockMovementsHandler implements JobHandler<MovementsRequest> {
  constructor(private readonly writer: ReportWriter) {}

  run(context: JobContext<MovementsRequest>) {
    return this.writer.write(context, stockMovements(context.payload));
  }
}

@Injectable()
@HandlesJob(SALES_REPORT)
export class SalesHandler implements JobHandler<SalesRequest> {
  constructor(private readonly writer: ReportWriter) {}

  run(context: JobContext<SalesRequest>) {
    return this.writer.write(context, sales(context.payload));
  }
}

@Injectable()
@HandlesJob(DEAD_STOCK_REPORT)
export class DeadStockHandler implements JobHandler<DeadStockRequest> {
  constructor(
    private readonly writer: ReportWriter,
    private readonly clock: Clock,
  ) {}

  run(context: JobContext<DeadStockRequest>) {
    return this.writer.write(context, deadStock(context.payload, this.clock.nowMs()));
  }
}

@Injectable()
@HandlesJob(LOW_STOCK_REPORT)
export class LowStockHandler implements JobHandler<LowStockRequest> {
  constructor(private readonly writer: ReportWriter) {}

  run(context: JobContext<LowStockRequest>) {
    return this.writer.write(context, lowStock());
  }
}
