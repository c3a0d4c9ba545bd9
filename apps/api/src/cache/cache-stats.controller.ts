/** How the cache does for the caller's organization. */
import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CacheReports } from '#libs/cache';
import { ApiProblems } from '#libs/http';
import { RequirePermission } from '#libs/identity';
import type { ShapeType } from '#libs/kernel';
import { CACHE_STATS, CACHE_STATS_QUERY, cacheStatsBody } from './cache-stats.shape';

@ApiTags('usage')
@ApiBearerAuth()
@Controller('v1/cache/stats')
export class CacheStatsController {
  constructor(private readonly reports: CacheReports) {}

  @Get()
  @RequirePermission('usage:read')
  @ApiOperation({ summary: 'See how the cache does for your organization, by namespace' })
  @ApiResponse({
    status: 200,
    description: 'The sums of all processes; what others counted in the last ten seconds may be missing.',
    standardSchema: CACHE_STATS,
  })
  @ApiProblems({ 503: '`cache_unavailable`: retry.' })
  async stats(@Query({ schema: CACHE_STATS_QUERY }) { hours = 24 }: ShapeType<typeof CACHE_STATS_QUERY>) {
    return cacheStatsBody(await this.reports.report(hours));
  }
}
