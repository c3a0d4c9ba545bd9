/** What the caller's organization has used. */
import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '#libs/http';
import { RequirePermission } from '#libs/identity';
import type { ShapeType } from '#libs/kernel';
import { UsageQueryService } from './usage-query.service';
import { USAGE, USAGE_QUERY } from './usage.shape';

@ApiTags('usage')
@ApiBearerAuth()
@Controller('v1/usage')
export class UsageController {
  constructor(private readonly usage: UsageQueryService) {}

  @Get()
  @RequirePermission('usage:read')
  @ApiOperation({ summary: 'Sum up what your organization has used, by metric' })
  @ApiResponse({
    status: 200,
    description: 'The sums; calls of the last seconds may be missing.',
    standardSchema: USAGE,
  })
  @ApiProblems({ 400: '`invalid_period`.', 503: '`metrics_unavailable`: retry.' })
  summary(@Query({ schema: USAGE_QUERY }) query: ShapeType<typeof USAGE_QUERY>) {
    return this.usage.summary(query);
  }
}
