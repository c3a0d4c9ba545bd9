/** `GET /api/metrics`: numbers for the admin of a tenant. */
import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { RequirePermission } from '#libs/identity';
import { TenantMetricsService } from './tenant-metrics.service';
import { TENANT_METRICS, tenantMetricsBody } from './tenant-metrics.shape';

@ApiTags('usage')
@ApiBearerAuth()
@Controller('api/metrics')
export class TenantMetricsController {
  constructor(private readonly metrics: TenantMetricsService) {}

  @Get()
  @RequirePermission('usage:read')
  @ApiOperation({ summary: 'See how database, cache and your organization are doing right now' })
  @ApiResponse({ status: 200, description: 'The numbers of this hour.', standardSchema: TENANT_METRICS })
  async current() {
    return tenantMetricsBody(await this.metrics.current());
  }
}
