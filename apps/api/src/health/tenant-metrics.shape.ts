/** Shape of `/api/metrics`. */
import { CACHE_OUTCOMES } from '#libs/cache';
import { Fields, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';
import type { TenantMetrics } from './tenant-metrics.service';

const DEPENDENCY = {
  status: Type.Union([Type.Literal('ok'), Type.Literal('error')]),
  latency_ms: Type.Number(),
  error: Type.Optional(Type.String()),
};
const COUNT = Type.Integer({ minimum: 0 });

export const TENANT_METRICS = shape(
  Type.Object({
    database: Type.Object(DEPENDENCY),
    cache: Type.Object({
      ...DEPENDENCY,
      hit_rate: Fields.nullable(Type.Number({ description: 'Of your organization in this hour; null before a read.' })),
      reads: Fields.nullable(Type.Record(Type.Union(CACHE_OUTCOMES.map((outcome) => Type.Literal(outcome))), COUNT)),
    }),
    tenant: Type.Object({
      organization_id: Fields.id(),
      tier: Type.String(),
      requests_per_minute: COUNT,
      api_calls_per_hour: COUNT,
      hour_start: Fields.timestamp('Start of the current hour.'),
      usage: Type.Record(Type.String(), COUNT, { description: 'Sums of the current hour by metric.' }),
    }),
  }),
);

export function tenantMetricsBody(metrics: TenantMetrics): ShapeType<typeof TENANT_METRICS> {
  const { hitRate, ...cache } = metrics.cache;
  return {
    database: metrics.database,
    cache: { ...cache, hit_rate: hitRate },
    tenant: {
      organization_id: metrics.organizationId,
      tier: metrics.tier,
      requests_per_minute: metrics.limits.requestsPerMinute,
      api_calls_per_hour: metrics.limits.apiCallsPerHour,
      hour_start: metrics.hourStart.toISOString(),
      usage: Object.fromEntries(metrics.usage.map(({ metric, value }) => [metric, value])),
    },
  };
}
