/** What became of reads, and what was written, per tenant and namespace since it was last taken, and in all since the start. */

export const CACHE_OUTCOMES = ['hit_near', 'hit_far', 'joined', 'stale', 'miss', 'bypassed'] as const;

/**
 * Each read counts as one of these. A hit rate is hits over all.
 * - `hit_near`, `hit_far`: answered by this process's memory, by Redis
 * - `joined`: waited for a load that was under way in this process
 * - `stale`: answered by Redis with a value behind its fresh time, while this process loads the new one
 * - `miss`: loaded; `bypassed`: loaded because Redis is away or the load of another process took too long
 */
export type CacheOutcome = (typeof CACHE_OUTCOMES)[number];

/**
 * - `sets`, `set_bytes`: values stored in Redis, and their bytes as they are there, compressed or not
 * - `fill_refused`: values that were loaded and not stored, because of an invalidation meanwhile
 * - `too_large`: the same, because they exceed what a value or the tenant's budget may have
 * - `invalidations`; `loads`, `load_ms`: loads that ended, well or not, and what they took
 */
export const CACHE_FIGURES = [
  ...CACHE_OUTCOMES,
  ...(['sets', 'set_bytes', 'fill_refused', 'too_large', 'invalidations', 'loads', 'load_ms'] as const),
] as const;
export type CacheFigure = (typeof CACHE_FIGURES)[number];

export type CacheCounts = Record<CacheFigure, number>;

/** Part of reads that did without a load; null before the first read. */
export function hitRate(counts: Readonly<Record<CacheOutcome, number>>): number | null {
  const hits = counts.hit_near + counts.hit_far + counts.joined + counts.stale;
  const all = hits + counts.miss + counts.bypassed;
  return all === 0 ? null : Math.round((hits / all) * 10_000) / 10_000;
}

export interface TenantCounts {
  readonly organizationId: string;
  readonly namespace: string;
  readonly counts: Readonly<CacheCounts>;
}

export const noCounts = (): CacheCounts =>
  Object.fromEntries(CACHE_FIGURES.map((figure) => [figure, 0])) as CacheCounts;

/** Where tags are invalidated no namespace is named; they count here. */
export const TAGS_NAMESPACE = '(tags)';

export class CacheStatistics {
  private tenants = new Map<string, Map<string, CacheCounts>>();
  private readonly namespaces = new Map<string, CacheCounts>();

  count(organizationId: string, namespace: string, figure: CacheFigure, amount = 1): void {
    entryOf(this.tenant(organizationId), namespace)[figure] += amount;
    entryOf(this.namespaces, namespace)[figure] += amount;
  }

  /** Since the process started, by namespace. */
  totals(): ReadonlyMap<string, Readonly<CacheCounts>> {
    return this.namespaces;
  }

  /** Since the process started, all namespaces together. */
  sum(): CacheCounts {
    const sum = noCounts();
    for (const counts of this.namespaces.values()) for (const figure of CACHE_FIGURES) sum[figure] += counts[figure];
    return sum;
  }

  /** Counts again what was taken in vain; the totals have it already. */
  giveBack(taken: readonly TenantCounts[]): void {
    for (const { organizationId, namespace, counts } of taken) {
      const entry = entryOf(this.tenant(organizationId), namespace);
      for (const figure of CACHE_FIGURES) entry[figure] += counts[figure];
    }
  }

  /** What was counted since it was last taken; from now on it is the taker's. */
  take(): TenantCounts[] {
    const taken = [...this.tenants].flatMap(([organizationId, namespaces]) =>
      [...namespaces].map(([namespace, counts]) => ({ organizationId, namespace, counts })),
    );
    this.tenants = new Map();
    return taken;
  }

  /** The same of one tenant. */
  takeOf(organizationId: string): TenantCounts[] {
    const namespaces = this.tenants.get(organizationId) ?? [];
    this.tenants.delete(organizationId);
    return [...namespaces].map(([namespace, counts]) => ({ organizationId, namespace, counts }));
  }

  private tenant(organizationId: string): Map<string, CacheCounts> {
    let tenant = this.tenants.get(organizationId);
    if (!tenant) this.tenants.set(organizationId, (tenant = new Map<string, CacheCounts>()));
    return tenant;
  }
}

function entryOf(counts: Map<string, CacheCounts>, namespace: string): CacheCounts {
  let found = counts.get(namespace);
  if (!found) counts.set(namespace, (found = noCounts()));
  return found;
}
