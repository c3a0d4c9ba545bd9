/**
 * Statistics of a tenant over all processes: each adds what it counted to sums in the cache's Redis, every ten seconds and when it
 * ends. A sum belongs to an hour of the clock, dated, and is kept for two days; a Redis that loses its data loses them.
 */
import { join } from 'node:path';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { StockyardError } from '#libs/kernel';
import { LuaScript, redisKey } from '#libs/redis';
import { Directory, TenantContextHolder, TIER_LIMITS } from '#libs/tenancy';
import { indexKeys } from './cache-keys';
import { CACHE_FIGURES, type CacheCounts, type CacheFigure, noCounts, type TenantCounts } from './cache-statistics';
import { TenantCache } from './tenant-cache';

const HOUR_MS = 3_600_000;
export const MOST_HOURS = 48;
const KEPT_MS = (MOST_HOURS + 1) * HOUR_MS;
const FLUSH_MS = 10_000;
/** Tenants that are written at once. */
const CONCURRENCY = 50;

const COUNT = LuaScript.fromFile<1>(join(__dirname, 'count.lua'), 1);

export interface CacheReport {
  /** Start of the first hour. */
  readonly from: Date;
  readonly to: Date;
  readonly namespaces: ReadonlyMap<string, Readonly<CacheCounts>>;
  /** Bytes that the tenant has in Redis, and may have. */
  readonly usedBytes: number;
  readonly budgetBytes: number;
}

@Injectable()
export class CacheReports implements OnModuleInit, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly cache: TenantCache,
    private readonly tenant: TenantContextHolder,
    private readonly directory: Directory,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REDIS_KEY_PREFIX'>,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  /** Never rejects. What cannot be written is counted again for the next time; a call whose answer is lost may count twice. */
  async flush(): Promise<void> {
    const hour = this.hourOf(Date.now());
    const tenants = [...Map.groupBy(this.cache.statistics.take(), ({ organizationId }) => organizationId)];
    for (let next = 0; next < tenants.length; next += CONCURRENCY) {
      const group = tenants.slice(next, next + CONCURRENCY);
      await Promise.all(group.map(([organizationId, counts]) => this.add(organizationId, hour, counts)));
    }
  }

  /**
   * The current tenant's figures of the last `hours` hours of the clock, the one at hand included; what other processes counted in
   * the last ten seconds may be missing. Throws `cache_unavailable` (503).
   */
  async report(hours: number): Promise<CacheReport> {
    const { organizationId } = this.tenant.current();
    const now = Date.now();
    const last = this.hourOf(now);
    await this.add(organizationId, last, this.cache.statistics.takeOf(organizationId));
    const starts = Array.from({ length: hours }, (_, back) => last - back * HOUR_MS);
    const { sizes } = indexKeys(this.config.REDIS_KEY_PREFIX, organizationId);
    const read = await this.cache.far.with((redis) =>
      Promise.all([
        redis.hget(sizes, 'total'),
        ...starts.map((start) => redis.hgetall(this.key(organizationId, start))),
      ]),
    );
    if (!read) throw unavailable();
    const namespaces = new Map<string, CacheCounts>();
    const [total, ...sums] = read;
    for (const sum of sums) for (const [field, value] of Object.entries(sum)) add(namespaces, field, Number(value));
    const organization = await this.directory.find(organizationId);
    const { maxCacheBytes } = organization?.limits ?? TIER_LIMITS.free;
    const from = new Date(starts.at(-1)!);
    return { from, to: new Date(now), namespaces, usedBytes: Number(total ?? 0), budgetBytes: maxCacheBytes };
  }

  private async add(organizationId: string, hour: number, counted: readonly TenantCounts[]): Promise<void> {
    const fields = counted.flatMap(({ namespace, counts }) =>
      CACHE_FIGURES.map((figure) => [`${namespace} ${figure}`, Math.round(counts[figure])] as const),
    );
    const values = fields.filter(([, amount]) => amount > 0).flat();
    if (values.length === 0) return;
    const key = this.key(organizationId, hour);
    if ((await this.cache.far.with((redis) => COUNT.run(redis, [key, KEPT_MS, ...values]))) === undefined)
      this.cache.statistics.giveBack(counted);
  }

  private hourOf(ms: number): number {
    return Math.floor(ms / HOUR_MS) * HOUR_MS;
  }

  private key(organizationId: string, hour: number): string {
    return redisKey(this.config.REDIS_KEY_PREFIX, 'cache', organizationId, 'figures', hour / HOUR_MS);
  }
}

const KNOWN: ReadonlySet<string> = new Set(CACHE_FIGURES);

/** Fields are `namespace figure`; one of another release is passed over. */
function add(namespaces: Map<string, CacheCounts>, field: string, value: number): void {
  const [namespace, figure] = field.split(' ');
  if (!namespace || !figure || !KNOWN.has(figure) || !Number.isFinite(value)) return;
  let counts = namespaces.get(namespace);
  if (!counts) namespaces.set(namespace, (counts = noCounts()));
  counts[figure as CacheFigure] += value;
}

function unavailable(): StockyardError {
  return new StockyardError({
    code: 'cache_unavailable',
    category: 'unavailable',
    message: 'The cache, which keeps these figures, does not answer; everything else goes on without it. Retry.',
    retryAfterSeconds: 5,
  });
}
