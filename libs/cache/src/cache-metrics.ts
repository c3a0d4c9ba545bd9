/** Shows the cache's statistics to Prometheus. */
import { Injectable, Optional } from '@nestjs/common';
import { MetricsRegistry, type Sample } from '#libs/observability';
import { CACHE_OUTCOMES, type CacheFigure } from './cache-statistics';
import { TenantCache } from './tenant-cache';

const WRITES = { sets: 'stored', fill_refused: 'refused', too_large: 'too_large' } as const;

@Injectable()
export class CacheMetrics {
  constructor(cache: TenantCache, @Optional() registry?: MetricsRegistry) {
    const each = (label: string, values: Readonly<Partial<Record<CacheFigure, string>>>) => (): Sample[] =>
      [...cache.statistics.totals()].flatMap(([namespace, counts]) =>
        Object.entries(values).map(([figure, value]) => ({
          labels: { namespace, [label]: value },
          value: counts[figure as CacheFigure],
        })),
      );
    const of =
      (figure: CacheFigure, scale = 1) =>
      (): Sample[] =>
        [...cache.statistics.totals()].map(([namespace, counts]) => ({
          labels: { namespace },
          value: counts[figure] / scale,
        }));
    const labels = ['namespace'];
    registry?.counter({
      name: 'stockyard_cache_reads_total',
      help: 'Reads of the tenant cache by outcome.',
      labels: [...labels, 'outcome'],
      read: each('outcome', Object.fromEntries(CACHE_OUTCOMES.map((outcome) => [outcome, outcome]))),
    });
    registry?.counter({
      name: 'stockyard_cache_fills_total',
      help: 'Loaded values: stored in Redis, refused because of an invalidation meanwhile, or too large.',
      labels: [...labels, 'outcome'],
      read: each('outcome', WRITES),
    });
    registry?.counter({
      name: 'stockyard_cache_fill_bytes_total',
      help: 'Bytes of values stored in Redis, as they are there.',
      labels,
      read: of('set_bytes'),
    });
    registry?.counter({
      name: 'stockyard_cache_invalidations_total',
      help: 'Invalidations asked for in this process.',
      labels,
      read: of('invalidations'),
    });
    registry?.counter({
      name: 'stockyard_cache_loads_total',
      help: 'Loads that ended, well or not.',
      labels,
      read: of('loads'),
    });
    registry?.counter({
      name: 'stockyard_cache_load_seconds_total',
      help: 'Time that loads took.',
      labels,
      read: of('load_ms', 1_000),
    });
    registry?.gauge({
      name: 'stockyard_cache_memory_bytes',
      help: 'Bytes that values in the memory of this process count as.',
      read: () => [{ value: cache.near.bytes() }],
    });
  }
}
