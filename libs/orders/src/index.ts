/** Orders and returns: what is sold and comes back, with the stock it moves, in one database flight each. */
export { OrdersModule } from './orders.module';
export {
  CREATE_ORDER,
  FULFIL_ORDER,
  ORDER,
  ORDER_QUERY,
  ORDER_SUMMARY,
  type Order,
  type OrderSummary,
} from './order.schema';
export { OrderService } from './order.service';
export { CREATE_RETURN, RETURN, RETURN_QUERY, RETURN_SUMMARY, type Return, type ReturnSummary } from './return.schema';
export { ReturnService } from './return.service';
