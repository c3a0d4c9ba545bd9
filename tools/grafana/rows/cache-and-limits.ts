/** The cache of tenants and the rate limits, over all processes. */
import type { Row } from '../dashboard';
import { series } from '../panels';

const OF_PROCESS = 'job=~"stockyard-$process"';
const cacheRate = (metric: string, by: string, only = '') =>
  `sum by (${by}) (rate(stockyard_cache_${metric}{${OF_PROCESS}${only}}[$__rate_interval]))`;

const HITS = ', outcome=~"hit_near|hit_far|joined|stale"';

export const CACHE_AND_LIMITS: Row = {
  title: 'Cache and limits',
  panels: [
    series(
      {
        title: 'Reads that loaded nothing',
        description: 'The share falls: memory, or invalidations.',
        unit: 'percentunit',
        width: 8,
      },
      [
        {
          expr: `${cacheRate('reads_total', 'namespace', HITS)} / (${cacheRate('reads_total', 'namespace')} > 0)`,
          legend: '{{namespace}}',
        },
      ],
    ),
    series({ title: 'Time of a load', description: 'How long a miss takes, on average.', unit: 's', width: 8 }, [
      {
        expr: `${cacheRate('load_seconds_total', 'namespace')} / (${cacheRate('loads_total', 'namespace')} > 0)`,
        legend: '{{namespace}}',
      },
    ]),
    series(
      {
        title: 'Fills and invalidations',
        description: 'More invalidations than fills: nothing stays long enough. too_large: a value that is never kept.',
        unit: 'ops',
        width: 8,
      },
      [
        { expr: cacheRate('fills_total', 'namespace, outcome'), legend: '{{namespace}} {{outcome}}' },
        { expr: cacheRate('invalidations_total', 'namespace'), legend: '{{namespace}} invalidated' },
      ],
    ),
    series({ title: 'Bytes filled', description: 'What the cache costs its Redis.', unit: 'Bps', width: 8 }, [
      { expr: cacheRate('fill_bytes_total', 'namespace'), legend: '{{namespace}}' },
    ]),
    series(
      {
        title: 'Near memory',
        description: 'Of the largest process. At CACHE_MEMORY_BYTES it evicts.',
        unit: 'bytes',
        width: 8,
      },
      [{ expr: `max by (job) (stockyard_cache_memory_bytes{${OF_PROCESS}})`, legend: '{{job}}' }],
    ),
    series(
      {
        title: 'Limits: admitted and refused',
        description: 'By policy. refused_locally: the Redis of the limits is away.',
        unit: 'reqps',
        width: 8,
      },
      [
        {
          expr: 'sum by (policy, outcome) (rate(stockyard_rate_limit_requests_total[$__rate_interval]))',
          legend: '{{policy}} {{outcome}}',
        },
      ],
    ),
    series(
      {
        title: 'Processes that count limits alone',
        description: 'Above 0: the Redis of the limits is away.',
        unit: 'short',
        width: 12,
        runbook: 'redis',
        alertsAt: 1,
      },
      [{ expr: 'sum by (job) (stockyard_rate_limit_insured)', legend: '{{job}}' }],
    ),
    series(
      {
        title: 'Processes that share limits',
        description: 'Should be the number of api processes.',
        unit: 'short',
        width: 12,
      },
      [
        { expr: 'max by (job) (stockyard_rate_limit_replicas)', legend: 'counted' },
        { expr: 'count by (job) (stockyard_rate_limit_replicas)', legend: 'there' },
      ],
    ),
  ],
};
