/** /v1/returns */
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems, IdempotencyKey, page, type Page } from '#libs/http';
import type { IdempotentReply } from '#libs/idempotency';
import { RequirePermission } from '#libs/identity';
import { Fields, pageOf, shape, type ShapeType } from '#libs/kernel';
import {
  CREATE_RETURN,
  RETURN,
  RETURN_QUERY,
  RETURN_SUMMARY,
  type Return,
  ReturnService,
  type ReturnSummary,
} from '#libs/orders';
import { Idempotent } from '../idempotency/idempotent.decorator';

const ID = shape(Fields.id());
const PAGE = shape(pageOf(RETURN_SUMMARY.schema));

@ApiTags('orders')
@ApiBearerAuth()
@ApiProblems({ 400: 'Malformed request.', 401: 'Not authenticated.', 403: 'Not permitted.', 404: 'Unknown id.' })
@Controller('v1/returns')
export class ReturnsController {
  constructor(private readonly returns: ReturnService) {}

  @Post()
  @ApiOperation({ summary: 'Take goods back' })
  @RequirePermission('orders:write')
  @Idempotent()
  @ApiResponse({ status: 201, standardSchema: RETURN })
  create(
    @IdempotencyKey() key: string,
    @Body({ schema: CREATE_RETURN }) body: ShapeType<typeof CREATE_RETURN>,
  ): Promise<IdempotentReply<Return>> {
    return this.returns.create(key, body);
  }

  /** Oldest first, without lines. */
  @Get()
  @ApiOperation({ summary: 'List returns, oldest first' })
  @RequirePermission('orders:read')
  @ApiResponse({ status: 200, standardSchema: PAGE })
  async list(@Query({ schema: RETURN_QUERY }) query: ShapeType<typeof RETURN_QUERY>): Promise<Page<ReturnSummary>> {
    return page(await this.returns.list(query), query.limit, (found) => [found.id]);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a return' })
  @RequirePermission('orders:read')
  @ApiResponse({ status: 200, standardSchema: RETURN })
  get(@Param('id', { schema: ID }) id: string): Promise<Return> {
    return this.returns.get(id);
  }
}
