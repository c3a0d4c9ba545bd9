/** Shows the cache's statistics to Prometheus. */
import { Injectable, Optional } from '@nestjs/common';
import { MetricsRegistry } from '#libs/observability';
import { TenantCache } from './tenant-cache';

@Injectable()
export class CacheMetrics {
  constructor(cache: TenantCache, @Optional() registry?: MetricsRegistry) {
    registry?.counter({
      name: 'stockyard_cache_reads_total',
      help: 'Reads of the tenant cache by outcome; fill_refused counts beside its miss.',
      labels: ['outcome'],
      read: () =>
        Object.entries(cache.statistics.snapshot()).map(([outcome, value]) => ({ labels: { outcome }, value })),
    });
  }
}
