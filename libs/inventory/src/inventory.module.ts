/** Wires the inventory. The worker takes InventoryWorkerModule; both processes register INVENTORY_JOBS with the queues. */
import { Module } from '@nestjs/common';
import { AuditModule } from '#libs/audit';
import { AdjustmentRepository } from './adjustment.repository';
import { AdjustmentService } from './adjustment.service';
import { AlertChecks } from './alerts/alert-checks';
import { AlertUpkeep } from './alerts/alert-upkeep.task';
import { CheckAlertsHandler, LowStockHandler } from './alerts/alert.handlers';
import { StockAlertService } from './alerts/stock-alert.service';
import { ReconcileHandler, RepairHandler } from './reconcile/reconcile.handlers';
import { ReconcileService } from './reconcile/reconcile.service';
import { Reconciliation } from './reconcile/reconciliation';
import { StockRepository } from './stock.repository';
import { StockService } from './stock.service';
import { ThresholdService } from './threshold/threshold.service';

@Module({
  imports: [AuditModule],
  providers: [
    ...[StockRepository, StockService, AdjustmentRepository, AdjustmentService],
    ...[ThresholdService, StockAlertService],
  ],
  exports: [StockService, AdjustmentService, ThresholdService, StockAlertService],
})
export class InventoryModule {}

/** Needs QueuesModule beside it. */
@Module({ imports: [AuditModule], providers: [ReconcileService], exports: [ReconcileService] })
export class ReconcileModule {}

@Module({
  imports: [AuditModule],
  providers: [
    ...[Reconciliation, ReconcileHandler, RepairHandler],
    ...[AlertChecks, LowStockHandler, CheckAlertsHandler, AlertUpkeep],
  ],
})
export class InventoryWorkerModule {}
