/** Shapes of `/v1/cache/stats`. */
import { type CacheReport, hitRate, MOST_HOURS } from '#libs/cache';
import { closed, Fields, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';

const COUNT = Type.Integer({ minimum: 0 });

export const CACHE_STATS_QUERY = shape(
  closed({
    hours: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MOST_HOURS,
        description: 'How many hours of the clock, the one at hand included. Default: 24.',
      }),
    ),
  }),
  { text: true },
);

export const CACHE_STATS = shape(
  Type.Object({
    from: Fields.timestamp('Start of the first hour.'),
    to: Fields.timestamp(),
    memory: Type.Object({
      used_bytes: Type.Integer({ description: 'What your cached values take in Redis.', minimum: 0 }),
      budget_bytes: Type.Integer({ description: '`max_cache_bytes`: beyond it, values that end soonest go.' }),
    }),
    namespaces: Type.Array(
      Type.Object({
        namespace: Type.String({ description: 'What kind of value; `(tags)` where tags were invalidated.' }),
        hit_rate: Fields.nullable(
          Type.Number({ description: 'Part of reads that needed no load; null before a read.' }),
        ),
        hits: Type.Object({
          memory: Type.Integer({ description: 'Answered by the memory of a process.' }),
          redis: Type.Integer({ description: 'Answered by Redis.' }),
          joined: Type.Integer({ description: 'Waited for a load that was under way.' }),
          stale: Type.Integer({ description: 'Answered by Redis behind its time, while a new value was loaded.' }),
        }),
        misses: Type.Integer({ description: 'Reads that loaded.' }),
        bypassed: Type.Integer({ description: 'Reads that loaded because Redis was away.' }),
        sets: Type.Integer({ description: 'Values that were stored in Redis.' }),
        set_bytes: Type.Integer({ description: 'Their bytes, as they are there.' }),
        refused: Type.Integer({ description: 'Values that were not stored: invalidated while they were loaded.' }),
        too_large: Type.Integer({
          description: 'Values that were not stored: larger than a value or the budget may be.',
        }),
        invalidations: COUNT,
        loads: COUNT,
        load_ms: Type.Integer({ description: 'What loads took, in all.' }),
      }),
    ),
  }),
);

export function cacheStatsBody(report: CacheReport): ShapeType<typeof CACHE_STATS> {
  const namespaces = [...report.namespaces].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    from: report.from.toISOString(),
    to: report.to.toISOString(),
    memory: { used_bytes: report.usedBytes, budget_bytes: report.budgetBytes },
    namespaces: namespaces.map(([namespace, counts]) => ({
      namespace,
      hit_rate: hitRate(counts),
      hits: { memory: counts.hit_near, redis: counts.hit_far, joined: counts.joined, stale: counts.stale },
      misses: counts.miss,
      bypassed: counts.bypassed,
      sets: counts.sets,
      set_bytes: counts.set_bytes,
      refused: counts.fill_refused,
      too_large: counts.too_large,
      invalidations: counts.invalidations,
      loads: counts.loads,
      load_ms: counts.load_ms,
    })),
  };
}
