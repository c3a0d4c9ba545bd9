/** /v1/orders */
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems, IdempotencyKey, IfMatch, page, type Page } from '#libs/http';
import type { IdempotentReply } from '#libs/idempotency';
import { RequirePermission } from '#libs/identity';
import { closed, Fields, pageOf, shape, type ShapeType } from '#libs/kernel';
import {
  CREATE_ORDER,
  FULFIL_ORDER,
  ORDER,
  ORDER_QUERY,
  ORDER_SUMMARY,
  type Order,
  OrderService,
  type OrderSummary,
} from '#libs/orders';
import { Idempotent } from '../idempotency/idempotent.decorator';

const ID = shape(Fields.id());
const PAGE = shape(pageOf(ORDER_SUMMARY.schema));
/** Steps that take no body refuse one that says something. */
const NOTHING = shape(closed({}), { optional: true });

@ApiTags('orders')
@ApiBearerAuth()
@ApiProblems({ 400: 'Malformed request.', 401: 'Not authenticated.', 403: 'Not permitted.', 404: 'Unknown id.' })
@Controller('v1/orders')
export class OrdersController {
  constructor(private readonly orders: OrderService) {}

  @Post()
  @ApiOperation({ summary: 'Create an order' })
  @RequirePermission('orders:write')
  @Idempotent()
  @ApiResponse({ status: 201, standardSchema: ORDER })
  create(
    @IdempotencyKey() key: string,
    @Body({ schema: CREATE_ORDER }) body: ShapeType<typeof CREATE_ORDER>,
  ): Promise<IdempotentReply<Order>> {
    return this.orders.create(key, body);
  }

  /** Oldest first, without lines. */
  @Get()
  @ApiOperation({ summary: 'List orders, oldest first' })
  @RequirePermission('orders:read')
  @ApiResponse({ status: 200, standardSchema: PAGE })
  async list(@Query({ schema: ORDER_QUERY }) query: ShapeType<typeof ORDER_QUERY>): Promise<Page<OrderSummary>> {
    return page(await this.orders.list(query), query.limit, (order) => [order.id]);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read an order' })
  @RequirePermission('orders:read')
  @ApiResponse({ status: 200, standardSchema: ORDER })
  get(@Param('id', { schema: ID }) id: string): Promise<Order> {
    return this.orders.get(id);
  }

  /** draft → confirmed */
  @Post(':id/confirm')
  @ApiOperation({ summary: 'Confirm a draft order' })
  @HttpCode(200)
  @RequirePermission('orders:write')
  @Idempotent()
  @ApiResponse({ status: 200, standardSchema: ORDER })
  confirm(
    @Param('id', { schema: ID }) id: string,
    @IdempotencyKey() key: string,
    @IfMatch() version: number | undefined,
    @Body({ schema: NOTHING }) _body: ShapeType<typeof NOTHING>,
  ): Promise<IdempotentReply<Order>> {
    return this.orders.advance({ id, action: 'confirm', key, version });
  }

  /** draft, confirmed → allocated: takes the stock of every line, or of none. */
  @Post(':id/allocate')
  @ApiOperation({ summary: 'Allocate the stock of an order' })
  @HttpCode(200)
  @RequirePermission('orders:write')
  @Idempotent()
  @ApiResponse({ status: 200, standardSchema: ORDER })
  @ApiProblems({ 409: '`insufficient_stock`, `product_archived`, `location_archived`, `invalid_state_transition`.' })
  allocate(
    @Param('id', { schema: ID }) id: string,
    @IdempotencyKey() key: string,
    @IfMatch() version: number | undefined,
    @Body({ schema: NOTHING }) _body: ShapeType<typeof NOTHING>,
  ): Promise<IdempotentReply<Order>> {
    return this.orders.advance({ id, action: 'allocate', key, version });
  }

  /** allocated, partially_fulfilled → fulfilled, or partially_fulfilled where lines are named and some stay. */
  @Post(':id/fulfil')
  @ApiOperation({ summary: 'Fulfil an order, as a whole or by lines' })
  @HttpCode(200)
  @RequirePermission('orders:write')
  @Idempotent()
  @ApiResponse({ status: 200, standardSchema: ORDER })
  fulfil(
    @Param('id', { schema: ID }) id: string,
    @IdempotencyKey() key: string,
    @IfMatch() version: number | undefined,
    @Body({ schema: FULFIL_ORDER }) body: ShapeType<typeof FULFIL_ORDER>,
  ): Promise<IdempotentReply<Order>> {
    return this.orders.advance({ id, action: 'fulfil', key, version, lines: body.lines });
  }

  /** draft, confirmed, allocated → cancelled: gives the stock back. */
  @Post(':id/cancel')
  @ApiOperation({ summary: 'Cancel an order and give its stock back' })
  @HttpCode(200)
  @RequirePermission('orders:write')
  @Idempotent()
  @ApiResponse({ status: 200, standardSchema: ORDER })
  cancel(
    @Param('id', { schema: ID }) id: string,
    @IdempotencyKey() key: string,
    @IfMatch() version: number | undefined,
    @Body({ schema: NOTHING }) _body: ShapeType<typeof NOTHING>,
  ): Promise<IdempotentReply<Order>> {
    return this.orders.advance({ id, action: 'cancel', key, version });
  }
}
