/** Wires the inventory. The worker takes InventoryWorkerModule; both processes register INVENTORY_JOBS with the queues. */
import { Module } from '@nestjs/common';
import { AuditModule } from '#libs/audit';
import { AdjustmentRepository } from './adjustment.repository';
import { AdjustmentService } from './adjustment.service';
import { ReconcileHandler, RepairHandler } from './reconcile/reconcile.handlers';
import { ReconcileService } from './reconcile/reconcile.service';
import { Reconciliation } from './reconcile/reconciliation';
import { StockRepository } from './stock.repository';
import { StockService } from './stock.service';

@Module({
  providers: [StockRepository, StockService, AdjustmentRepository, AdjustmentService],
  exports: [StockService, AdjustmentService],
})
export class InventoryModule {}

/** Needs QueuesModule beside it. */
@Module({ imports: [AuditModule], providers: [ReconcileService], exports: [ReconcileService] })
export class ReconcileModule {}

@Module({ imports: [AuditModule], providers: [Reconciliation, ReconcileHandler, RepairHandler] })
export class InventoryWorkerModule {}
