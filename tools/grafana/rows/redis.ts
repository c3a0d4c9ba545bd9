/** What each Redis says of itself. */
import type { Row } from '../dashboard';
import { series } from '../panels';

const SERVER = '{{purpose}} {{node}}';
export const redis = (metric: string, only = '') => `max by (purpose, node) (stockyard_redis_${metric}${only})`;
const redisRate = (metric: string) => `max by (purpose, node) (rate(stockyard_redis_${metric}[$__rate_interval]))`;

export const REDIS: Row = {
  title: 'Redis',
  panels: [
    series(
      {
        title: 'Memory against the maximum',
        description: 'Of the queues above 80 %: it takes no jobs when full. A cache is full by design.',
        unit: 'percentunit',
        width: 8,
        runbook: 'redis',
        alertsAt: 0.8,
      },
      [{ expr: `${redis('memory_bytes')} / on (purpose, node) (${redis('memory_max_bytes')} > 0)`, legend: SERVER }],
    ),
    series({ title: 'Memory', description: 'What each server uses.', unit: 'bytes', width: 8, runbook: 'redis' }, [
      { expr: redis('memory_bytes'), legend: SERVER },
    ]),
    series(
      {
        title: 'Evicted',
        description: 'Must not rise where the purpose has queue: jobs may be among the keys.',
        unit: 'ops',
        width: 8,
        runbook: 'redis',
      },
      [
        { expr: redisRate('evicted_keys_total'), legend: `${SERVER} evicted` },
        { expr: redisRate('expired_keys_total'), legend: `${SERVER} expired` },
      ],
    ),
    series(
      {
        title: 'Clients against the maximum',
        description: 'Near 100 %: raise maxclients.',
        unit: 'percentunit',
        width: 8,
        runbook: 'redis',
      },
      [{ expr: `${redis('clients')} / on (purpose, node) (${redis('clients_max')} > 0)`, legend: SERVER }],
    ),
    series(
      {
        title: 'Connections refused',
        description: 'Rises: processes cannot connect.',
        unit: 'ops',
        width: 8,
        runbook: 'redis',
      },
      [{ expr: redisRate('connections_refused_total'), legend: SERVER }],
    ),
    series(
      {
        title: 'Hits of the server',
        description: 'Share of the look-ups that found a key.',
        unit: 'percentunit',
        width: 8,
      },
      [
        {
          expr: `${redisRate('keyspace_hits_total')} / (${redisRate('keyspace_hits_total')} + ${redisRate('keyspace_misses_total')} > 0)`,
          legend: SERVER,
        },
      ],
    ),
  ],
};
