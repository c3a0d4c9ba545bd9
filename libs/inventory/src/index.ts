/** Inventory: levels, movements, adjustments, and the SQL fragments with which orders take and give back stock. */
export { InventoryModule, InventoryWorkerModule, ReconcileModule } from './inventory.module';
export { ADJUSTMENT, type Adjustment, CREATE_ADJUSTMENT } from './adjustment.schema';
export { AdjustmentService } from './adjustment.service';
export { LEVEL_QUERY, MOVEMENT, MOVEMENT_QUERY, MOVEMENT_SUM, STOCK_LEVEL, type StockLevel } from './stock.schema';
export { StockService } from './stock.service';
export { INVENTORY_JOBS } from './inventory.jobs';
export { ALERT_QUERY, STOCK_ALERT, type StockAlert } from './alerts/stock-alert.schema';
export { StockAlertService } from './alerts/stock-alert.service';
export { SET_THRESHOLD, STOCK_THRESHOLD, type StockThreshold } from './threshold/threshold.schema';
export { ThresholdService } from './threshold/threshold.service';
export { ReconcileService } from './reconcile/reconcile.service';
export { type StockCount, stockCountStatements } from './stock-count.statements';
export { levelOf, lockLevels, placeOf } from './level.sql';
export { type Origin, originOf, ORIGIN_COLUMNS } from './origin';
