/** Wires the inventory. */
import { Module } from '@nestjs/common';
import { AdjustmentRepository } from './adjustment.repository';
import { AdjustmentService } from './adjustment.service';
import { StockRepository } from './stock.repository';
import { StockService } from './stock.service';

@Module({
  providers: [StockRepository, StockService, AdjustmentRepository, AdjustmentService],
  exports: [StockService, AdjustmentService],
})
export class InventoryModule {}
