/** Serves `/v1/usage`. */
import { Module } from '@nestjs/common';
import { UsageController } from './usage.controller';
import { UsageQueryService } from './usage-query.service';
import { UsageSeriesService } from './usage-series.service';

@Module({ controllers: [UsageController], providers: [UsageQueryService, UsageSeriesService] })
export class UsageHttpModule {}
