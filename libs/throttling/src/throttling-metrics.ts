/** Shows admissions and refusals to Prometheus. */
import { Injectable, Optional } from '@nestjs/common';
import { MetricsRegistry } from '#libs/observability';
import { RedisThrottlerStorage } from './redis-throttler.storage';

@Injectable()
export class ThrottlingMetrics {
  constructor(storage: RedisThrottlerStorage, @Optional() registry?: MetricsRegistry) {
    registry?.counter({
      name: 'stockyard_rate_limit_requests_total',
      help: 'Requests that passed or were refused by a rate-limit policy.',
      labels: ['policy', 'outcome'],
      read: () =>
        storage.statistics.snapshot().flatMap(({ policy, admitted, refused }) => [
          { labels: { policy, outcome: 'admitted' }, value: admitted },
          { labels: { policy, outcome: 'refused' }, value: refused },
        ]),
    });
  }
}
