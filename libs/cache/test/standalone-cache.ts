/** The cache of one process, with nothing around it but Redis and a directory that knows one budget. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { redisServers } from '#libs/config';
import { PlatformEvents } from '#libs/messaging';
import { connectRedis, isConnected, type RedisClient, redisMasters, redisOptions } from '#libs/redis';
import { type Directory, type Organization, TenantContextHolder, TIER_LIMITS, WriteScope } from '#libs/tenancy';
import { waitFor } from '#libs/local-stack';
import type { UsageMeter } from '#libs/usage';
import { Redis } from 'ioredis';
import { ClsService } from 'nestjs-cls';
import { TenantCache } from '../src/tenant-cache';

/** Hints are kept here and reach nobody: whatever depends on one shows. */
class KeptEvents extends PlatformEvents {
  readonly published: unknown[] = [];

  override publish(...event: unknown[]): void {
    this.published.push(event);
  }
}

export interface StandaloneOptions {
  /** Of a server, or of a cluster. */
  readonly url: string;
  readonly prefix: string;
  readonly commandTimeout?: number;
  readonly maxCacheBytes?: number;
  readonly memoryBytes?: number;
}

export class StandaloneCache {
  readonly events = new KeptEvents();
  readonly writes = new WriteScope();
  readonly tenant = new TenantContextHolder(new ClsService(new AsyncLocalStorage()));
  readonly redis: RedisClient;
  readonly cache: TenantCache;
  readonly metered: [organizationId: string, metric: string, amount: number][] = [];

  private readonly commandTimeout: number;

  constructor({ url, prefix, commandTimeout = 10_000, ...options }: StandaloneOptions) {
    this.commandTimeout = commandTimeout;
    const { maxCacheBytes = TIER_LIMITS.enterprise.maxCacheBytes, memoryBytes = 64 * 1024 ** 2 } = options;
    const isCluster = redisServers(url).kind === 'cluster';
    this.redis = isCluster ? connectRedis(url, 'fast') : new Redis(url, { ...redisOptions('fast'), commandTimeout });
    this.redis.on('error', () => undefined);
    const organization = { limits: { ...TIER_LIMITS.enterprise, maxCacheBytes } } as Organization;
    const directory = { find: () => Promise.resolve(organization) } as unknown as Directory;
    const usage = { count: (...each: [string, string, number]) => void this.metered.push(each) };
    const config = { REDIS_KEY_PREFIX: prefix, CACHE_MEMORY_BYTES: memoryBytes };
    const { tenant, writes, events, redis } = this;
    this.cache = new TenantCache(tenant, directory, writes, events, redis, config, usage as unknown as UsageMeter);
  }

  as<T>(organizationId: string, work: (cache: TenantCache) => Promise<T>): Promise<T> {
    const actor = { type: 'system', id: null } as const;
    const context = { organizationId, actor, permissions: new Set<string>(), requestId: 'test' };
    return this.tenant.run(context, () => work(this.cache));
  }

  async ready(): Promise<void> {
    await waitFor(() => isConnected(this.redis), { what: 'Redis', intervalMs: 5 });
    for (const server of redisMasters(this.redis)) server.options.commandTimeout = this.commandTimeout;
  }
}
