/** Serves `/v1/cache/stats`. */
import { Module } from '@nestjs/common';
import { CacheStatsController } from './cache-stats.controller';

@Module({ controllers: [CacheStatsController] })
export class CacheHttpModule {}
