/**
 * Who uses most since the hour began: the first METRICS_TOP_TENANTS organizations by each figure, the rest as `other`. So there are
 * 3 × (METRICS_TOP_TENANTS + 1) series at any moment, however many tenants there are. What each of them used stands in
 * `tenant_usage`, and `GET /v1/usage` tells it to the tenant.
 */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { MetricsRegistry } from '#libs/observability';
import { POLICY_NAMES } from '#libs/throttling';
import { Collectors } from '../collect/collectors.service';
import { ShardMonitors } from './shard-monitors';
import { topTenants, type TenantValue } from './top-tenants';

/** Rounds between two looks: usage is written every few seconds, and every tenant of the shard is looked up. */
const ROUNDS = 3;
const OF_HOUR = 'select tenant, value::double precision from tenant_usage_of_hour($1, $2)';

const REFUSALS = [
  ...POLICY_NAMES.map((policy) => `rate_limit_exceeded_${policy}`),
  'rate_limit_exceeded_concurrency',
  'requests_shed',
];

const FIGURES = [
  {
    collector: 'tenant_api_calls',
    metrics: ['api_calls'],
    name: 'stockyard_tenant_hour_api_calls',
    help: 'Requests of an organization since the hour began; of the busiest ones, the rest is `other`.',
    scale: 1,
  },
  {
    collector: 'tenant_jobs',
    metrics: ['job_milliseconds'],
    name: 'stockyard_tenant_hour_job_seconds',
    help: 'Time that its jobs ran since the hour began.',
    scale: 1_000,
  },
  {
    collector: 'tenant_refusals',
    metrics: REFUSALS,
    name: 'stockyard_tenant_hour_refusals',
    help: 'Requests of it that limits and the gate refused since the hour began.',
    scale: 1,
  },
] as const;

@Injectable()
export class TenantGauges {
  constructor(
    registry: MetricsRegistry,
    collectors: Collectors,
    monitors: ShardMonitors,
    @Inject(APP_CONFIG) { METRICS_TOP_TENANTS: most }: Pick<AppConfig, 'METRICS_TOP_TENANTS'>,
  ) {
    for (const { collector, metrics, name, help, scale } of FIGURES) {
      const usage = collectors.make({
        name: collector,
        everyRounds: ROUNDS,
        sources: () => monitors.eachShard<TenantValue>(OF_HOUR, [metrics, most]),
      });
      const read = async () => {
        const values = (await usage.values()).flatMap(({ value }) => value);
        return topTenants(values, most).map(({ tenant, value }) => ({ labels: { tenant }, value: value / scale }));
      };
      registry.gauge({ name, help, labels: ['tenant'], read });
    }
  }
}
