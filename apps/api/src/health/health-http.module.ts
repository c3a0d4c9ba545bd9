/** Serves `/api/metrics`. The probes come with HealthModule. */
import { Module } from '@nestjs/common';
import { TenantMetricsController } from './tenant-metrics.controller';
import { TenantMetricsService } from './tenant-metrics.service';

@Module({ controllers: [TenantMetricsController], providers: [TenantMetricsService] })
export class HealthHttpModule {}
