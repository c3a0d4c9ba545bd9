/** What the caller's organization costs, where the platform's operators let tenants see it. */
import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '#libs/http';
import { RequirePermission } from '#libs/identity';
import type { ShapeType } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import { costPeriod, CostService } from '#libs/usage';
import { COST_QUERY, OWN_COSTS, ownCostsBody } from './cost.shape';

@ApiTags('usage')
@ApiBearerAuth()
@Controller('v1/usage/costs')
export class OwnCostsController {
  constructor(
    private readonly costs: CostService,
    private readonly tenant: TenantContextHolder,
  ) {}

  @Get()
  @RequirePermission('usage:read')
  @ApiOperation({ summary: 'See what your organization costs' })
  @ApiResponse({ status: 200, description: 'Your part of the bill.', standardSchema: OWN_COSTS })
  @ApiProblems({
    400: '`invalid_period`.',
    404: '`not_found`: tenants do not see their costs here.',
    503: '`costs_incomplete`: retry.',
  })
  async own(@Query({ schema: COST_QUERY }) query: ShapeType<typeof COST_QUERY>) {
    const report = await this.costs.own(costPeriod(query), this.tenant.current().organizationId);
    return ownCostsBody(report, report.own);
  }
}
