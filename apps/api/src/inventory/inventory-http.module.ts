/** HTTP side of the inventory. */
import { Module } from '@nestjs/common';
import { InventoryModule } from '#libs/inventory';
import { InventoryController } from './inventory.controller';

@Module({ imports: [InventoryModule], controllers: [InventoryController] })
export class InventoryHttpModule {}
