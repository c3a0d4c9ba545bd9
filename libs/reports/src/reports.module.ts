/** Reports. The api takes ReportsModule, the worker ReportsWorkerModule; both register REPORT_JOBS with the queues. */
import { Module } from '@nestjs/common';
import { Clock, SystemClock } from '#libs/kernel';
import {
  DeadStockHandler,
  LowStockHandler,
  SalesHandler,
  StockMovementsHandler,
  StockValuationHandler,
} from './report.handlers';
import { ReportService } from './report.service';
import { ReportWriter } from './report.writer';

@Module({ providers: [ReportService], exports: [ReportService] })
export class ReportsModule {}

@Module({
  providers: [
    { provide: Clock, useClass: SystemClock },
    ReportWriter,
    StockValuationHandler,
    StockMovementsHandler,
    SalesHandler,
    DeadStockHandler,
    LowStockHandler,
  ],
})
export class ReportsWorkerModule {}
