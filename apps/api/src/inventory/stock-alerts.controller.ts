/** /v1/stock_alerts, and the thresholds that they come from */
import { Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems, IfMatch, page, type Page } from '#libs/http';
import { RequirePermission } from '#libs/identity';
import {
  ALERT_QUERY,
  SET_THRESHOLD,
  STOCK_ALERT,
  STOCK_THRESHOLD,
  type StockAlert,
  StockAlertService,
  type StockThreshold,
  ThresholdService,
} from '#libs/inventory';
import { Fields, pageOf, shape, type ShapeType } from '#libs/kernel';

const ID = shape(Fields.id());
const PAGE = shape(pageOf(STOCK_ALERT.schema));
const THRESHOLD = 'stock_levels/:product_id/:location_id/threshold';

@ApiTags('inventory')
@ApiBearerAuth()
@ApiProblems({ 400: 'Malformed request.', 401: 'Not authenticated.', 403: 'Not permitted.', 404: 'Unknown id.' })
@Controller('v1')
export class StockAlertsController {
  constructor(
    private readonly alerts: StockAlertService,
    private readonly thresholds: ThresholdService,
  ) {}

  /** Newest first. */
  @Get('stock_alerts')
  @ApiOperation({ summary: 'List alerts of low stock, the newest first' })
  @RequirePermission('stock:read')
  @ApiResponse({ status: 200, standardSchema: PAGE })
  async list(@Query({ schema: ALERT_QUERY }) query: ShapeType<typeof ALERT_QUERY>): Promise<Page<StockAlert>> {
    return page(await this.alerts.list(query), query.limit, ({ id }) => [id]);
  }

  @Get('stock_alerts/:id')
  @ApiOperation({ summary: 'Read an alert' })
  @RequirePermission('stock:read')
  @ApiResponse({ status: 200, standardSchema: STOCK_ALERT })
  get(@Param('id', { schema: ID }) id: string): Promise<StockAlert> {
    return this.alerts.get(id);
  }

  /** The first who acknowledges it is kept. */
  @Post('stock_alerts/:id/acknowledge')
  @ApiOperation({ summary: 'Note that somebody has seen an alert; the first one is kept' })
  @HttpCode(200)
  @RequirePermission('stock:write')
  @ApiResponse({ status: 200, standardSchema: STOCK_ALERT })
  @ApiProblems({ 412: 'If-Match names another version.' })
  acknowledge(@Param('id', { schema: ID }) id: string, @IfMatch() version: number | undefined): Promise<StockAlert> {
    return this.alerts.acknowledge(id, version);
  }

  @Get(THRESHOLD)
  @ApiOperation({ summary: 'Read the threshold of a stock level' })
  @RequirePermission('stock:read')
  @ApiResponse({ status: 200, standardSchema: STOCK_THRESHOLD })
  threshold(
    @Param('product_id', { schema: ID }) productId: string,
    @Param('location_id', { schema: ID }) locationId: string,
  ): Promise<StockThreshold> {
    return this.thresholds.get(productId, locationId);
  }

  /** Alerts open and resolve by it some seconds later. Makes the level, with nothing in it, where there is none. */
  @Put(THRESHOLD)
  @ApiOperation({ summary: 'Set or take away the threshold of a stock level' })
  @RequirePermission('stock:write')
  @ApiResponse({ status: 200, standardSchema: STOCK_THRESHOLD })
  @ApiProblems({ 412: 'If-Match names another version.' })
  setThreshold(
    @Param('product_id', { schema: ID }) productId: string,
    @Param('location_id', { schema: ID }) locationId: string,
    @IfMatch() version: number | undefined,
    @Body({ schema: SET_THRESHOLD }) body: ShapeType<typeof SET_THRESHOLD>,
  ): Promise<StockThreshold> {
    return this.thresholds.set({ productId, locationId, threshold: body.low_stock_threshold, version });
  }
}
