/** What every tenant costs, for the operators of the platform. */
import { Controller, Get, Query, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '#libs/http';
import { Operators } from '#libs/identity';
import type { ShapeType } from '#libs/kernel';
import { costPeriod, CostService } from '#libs/usage';
import { COSTS, COSTS_QUERY, costsBody, costsCsv } from './cost.shape';

@ApiTags('admin')
@ApiBearerAuth()
@Operators()
@Controller('v1/admin/costs')
export class AdminCostsController {
  constructor(private readonly costs: CostService) {}

  @Get()
  @ApiOperation({ summary: 'Split the bill of some days among the tenants' })
  @ApiProduces('application/json', 'text/csv')
  @ApiResponse({
    status: 200,
    description: 'The bill, and a page of tenants by id; with `format=csv` all of them.',
    standardSchema: COSTS,
  })
  @ApiProblems({
    400: '`invalid_period`, `invalid_cursor`.',
    404: '`costs_not_configured`.',
    503: '`costs_incomplete`: a shard does not answer; retry.',
  })
  async list(@Query({ schema: COSTS_QUERY }) query: ShapeType<typeof COSTS_QUERY>) {
    const report = await this.costs.report(costPeriod(query));
    if (query.format === 'json') return costsBody(report, query);
    return new StreamableFile(Buffer.from(costsCsv(report)), {
      type: 'text/csv; charset=utf-8',
      disposition: 'attachment; filename="costs.csv"',
    });
  }
}
