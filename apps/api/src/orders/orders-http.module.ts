/** HTTP side of orders and returns. */
import { Module } from '@nestjs/common';
import { OrdersModule } from '#libs/orders';
import { OrdersController } from './orders.controller';
import { ReturnsController } from './returns.controller';

@Module({ imports: [OrdersModule], controllers: [OrdersController, ReturnsController] })
export class OrdersHttpModule {}
