/** HTTP side of the inventory. */
import { Module } from '@nestjs/common';
import { InventoryModule } from '#libs/inventory';
import { InventoryController } from './inventory.controller';
import { StockAlertsController } from './stock-alerts.controller';

@Module({ imports: [InventoryModule], controllers: [InventoryController, StockAlertsController] })
export class InventoryHttpModule {}
