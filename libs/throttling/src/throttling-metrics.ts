/** Shows admissions and refusals to Prometheus, and whether this process counts by itself. */
import { Injectable, Optional } from '@nestjs/common';
import { MetricsRegistry } from '#libs/observability';
import { RedisThrottlerStorage } from './redis-throttler.storage';
import { Replicas } from './replicas';
import { OUTCOMES } from './throttling-statistics';

@Injectable()
export class ThrottlingMetrics {
  constructor(storage: RedisThrottlerStorage, replicas: Replicas, @Optional() registry?: MetricsRegistry) {
    registry?.counter({
      name: 'stockyard_rate_limit_requests_total',
      help: 'Requests that passed or were refused by a rate-limit policy; refused_locally: without asking Redis again.',
      labels: ['policy', 'outcome'],
      read: () =>
        storage.statistics
          .snapshot()
          .flatMap(({ policy, ...counts }) =>
            OUTCOMES.map((outcome) => ({ labels: { policy, outcome }, value: counts[outcome] })),
          ),
    });
    registry?.gauge({
      name: 'stockyard_rate_limit_insured',
      help: '1 while this process counts rate limits by itself, because their Redis is away.',
      read: () => [{ value: storage.insured ? 1 : 0 }],
    });
    registry?.gauge({
      name: 'stockyard_rate_limit_replicas',
      help: 'Processes that limits are divided by while their Redis is away.',
      read: () => [{ value: replicas.count }],
    });
  }
}
