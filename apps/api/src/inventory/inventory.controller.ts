/** /v1/stock_levels, /v1/stock_movements, /v1/adjustments */
import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems, IdempotencyKey, page, type Page } from '#libs/http';
import type { IdempotentReply } from '#libs/idempotency';
import { RequirePermission } from '#libs/identity';
import {
  ADJUSTMENT,
  type Adjustment,
  AdjustmentService,
  CREATE_ADJUSTMENT,
  LEVEL_QUERY,
  MOVEMENT,
  MOVEMENT_QUERY,
  MOVEMENT_SUM,
  STOCK_LEVEL,
  type StockLevel,
  StockService,
} from '#libs/inventory';
import { closed, pageOf, PageQuery, shape, type ShapeType } from '#libs/kernel';
import { Idempotent } from '../idempotency/idempotent.decorator';

const PAGE_QUERY = shape(closed(PageQuery), { text: true });
const LEVELS = shape(pageOf(STOCK_LEVEL.schema));
const MOVEMENTS = shape(pageOf(MOVEMENT.schema));
const SUMS = shape(pageOf(MOVEMENT_SUM.schema));

@ApiTags('inventory')
@ApiBearerAuth()
@ApiProblems({ 400: 'Malformed request.', 401: 'Not authenticated.', 403: 'Not permitted.' })
@Controller('v1')
export class InventoryController {
  constructor(
    private readonly stock: StockService,
    private readonly adjustments: AdjustmentService,
  ) {}

  @Get('stock_levels')
  @ApiOperation({ summary: 'List stock levels' })
  @RequirePermission('stock:read')
  @ApiResponse({ status: 200, standardSchema: LEVELS })
  async levels(@Query({ schema: LEVEL_QUERY }) query: ShapeType<typeof LEVEL_QUERY>): Promise<Page<StockLevel>> {
    return page(await this.stock.levels(query), query.limit, (level) => [level.product_id, level.location_id]);
  }

  /** Newest first. */
  @Get('stock_movements')
  @ApiOperation({ summary: 'List stock movements, newest first' })
  @RequirePermission('stock:read')
  @ApiResponse({ status: 200, standardSchema: MOVEMENTS })
  async movements(
    @Query({ schema: MOVEMENT_QUERY }) query: ShapeType<typeof MOVEMENT_QUERY>,
  ): Promise<Page<ShapeType<typeof MOVEMENT>>> {
    return page(await this.stock.movements(query), query.limit, (movement) => [movement.id]);
  }

  /** Sums of the movements of each level: equal to the level, or something is wrong. */
  @Get('stock_movements/summary')
  @ApiOperation({ summary: 'Sum the movements of each level' })
  @RequirePermission('stock:read')
  @ApiResponse({ status: 200, standardSchema: SUMS })
  async sums(
    @Query({ schema: PAGE_QUERY }) query: ShapeType<typeof PAGE_QUERY>,
  ): Promise<Page<ShapeType<typeof MOVEMENT_SUM>>> {
    return page(await this.stock.movementSums(query), query.limit, (sum) => [sum.product_id, sum.location_id]);
  }

  @Post('adjustments')
  @ApiOperation({ summary: 'Adjust or count stock' })
  @RequirePermission('stock:write')
  @Idempotent()
  @ApiResponse({ status: 201, standardSchema: ADJUSTMENT })
  adjust(
    @IdempotencyKey() key: string,
    @Body({ schema: CREATE_ADJUSTMENT }) body: ShapeType<typeof CREATE_ADJUSTMENT>,
  ): Promise<IdempotentReply<Adjustment>> {
    return this.adjustments.adjust(key, body);
  }
}
