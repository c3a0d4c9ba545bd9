/** What the caller's organization has used. */
import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '#libs/http';
import { RequirePermission } from '#libs/identity';
import type { ShapeType } from '#libs/kernel';
import { UsageQueryService } from './usage-query.service';
import { USAGE_OR_SERIES, USAGE_QUERY } from './usage.shape';

@ApiTags('usage')
@ApiBearerAuth()
@Controller('v1/usage')
export class UsageController {
  constructor(private readonly usage: UsageQueryService) {}

  @Get()
  @RequirePermission('usage:read')
  @ApiOperation({ summary: 'Sum up what your organization has used, by metric, or see it as a series' })
  @ApiProduces('application/json', 'text/csv')
  @ApiResponse({
    status: 200,
    description: 'The sums, or with `granularity` a page of points in order; calls of the last seconds may be missing.',
    standardSchema: USAGE_OR_SERIES,
  })
  @ApiProblems({ 400: '`invalid_period`, `invalid_cursor`.', 503: '`metrics_unavailable`: retry.' })
  summary(@Query({ schema: USAGE_QUERY }) query: ShapeType<typeof USAGE_QUERY>) {
    return this.usage.answer(query);
  }
}
