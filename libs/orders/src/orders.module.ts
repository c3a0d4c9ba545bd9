/** Wires orders and returns. */
import { Module } from '@nestjs/common';
import { OrderRepository } from './order.repository';
import { OrderService } from './order.service';
import { ReturnRepository } from './return.repository';
import { ReturnService } from './return.service';

@Module({
  providers: [OrderRepository, OrderService, ReturnRepository, ReturnService],
  exports: [OrderService, ReturnService],
})
export class OrdersModule {}
