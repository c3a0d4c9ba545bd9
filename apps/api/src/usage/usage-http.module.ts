/** Serves `/v1/usage`. */
import { Module } from '@nestjs/common';
import { UsageController } from './usage.controller';
import { UsageQueryService } from './usage-query.service';

@Module({ controllers: [UsageController], providers: [UsageQueryService] })
export class UsageHttpModule {}
