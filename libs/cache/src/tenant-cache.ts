/**
 * The tenant's cache: a second of memory in this process over minutes in Redis. Reading needs a tenant context, and
 * no key can name another tenant's value. Whoever writes calls `invalidate` after its commit; then no process fills in
 * what was loaded before, this process answers with nothing older from that moment, and the others at the latest when
 * their second of memory is over. With Redis away every read loads, once per process at a time. What is filled in counts
 * as the tenant's `cache_bytes`, where the process meters usage.
 */
import { Inject, Injectable, Optional } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { PlatformEvents } from '#libs/messaging';
import { CACHE_REDIS } from '#libs/redis';
import { TenantContextHolder } from '#libs/tenancy';
import { UsageMeter } from '#libs/usage';
import type { Redis } from 'ioredis';
import { type EntryAddress, entryKeys, namespaceKey } from './cache-keys';
import type { CacheNamespace } from './cache-namespace';
import { CacheStatistics } from './cache-statistics';
import { NearLevel } from './near-level';
import { decode, deepFreeze, encode } from './payload';
import { RedisLevel } from './redis-level';

interface Landed<T> {
  readonly value: T | undefined;
  readonly lifeMs: number;
}

/** Part of a life that is left to chance. */
const JITTER = 0.1;

@Injectable()
export class TenantCache {
  readonly statistics = new CacheStatistics();
  private readonly near = new NearLevel();
  private readonly far: RedisLevel;

  constructor(
    private readonly tenant: TenantContextHolder,
    private readonly events: PlatformEvents,
    @Inject(CACHE_REDIS) redis: Redis,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REDIS_KEY_PREFIX'>,
    @Optional() private readonly usage?: UsageMeter,
  ) {
    this.far = new RedisLevel(redis);
  }

  /**
   * The current tenant's value, or what `load` answers; undefined means that there is none, and is remembered too.
   * The value is shared and frozen. `key` is not empty. Rejects only with what `load` rejects with.
   */
  async get<T>(namespace: CacheNamespace<T>, key: string, load: () => Promise<T | undefined>): Promise<T | undefined> {
    const address = this.address(namespace, key);
    const near = this.near.get(address);
    if (near) {
      this.statistics.count('hit_near');
      return near.value as T | undefined;
    }
    const flight = this.near.flight(address);
    if (flight) {
      this.statistics.count('joined');
      return ((await flight.landing) as Landed<T>).value;
    }
    return (await this.near.begin(address, () => this.fetch(namespace, address, load))).value;
  }

  /**
   * Forgets a value of the current tenant, or without a key all of the namespace, here and everywhere. Call it after the
   * commit. Never rejects: while Redis is away, this process owes it the news.
   */
  async invalidate<T>(namespace: CacheNamespace<T>, key?: string): Promise<void> {
    const address = key === undefined ? this.whole(namespace) : this.address(namespace, key);
    this.near.forget(address);
    const prefix = this.config.REDIS_KEY_PREFIX;
    await this.far.forget(key === undefined ? namespaceKey(prefix, address) : entryKeys(prefix, address).entry);
    this.near.forget(address); // what was read from Redis meanwhile
    this.events.publish('cache.invalidated', {
      organization_id: address.organizationId,
      namespace: address.namespace,
      key: address.key,
    });
  }

  /** Forgets what this process holds, on another's hint. */
  forgetNear(address: EntryAddress): void {
    this.near.forget(address);
  }

  private whole<T>(namespace: CacheNamespace<T>): EntryAddress {
    return { organizationId: this.tenant.current().organizationId, namespace: namespace.name, key: '' };
  }

  private address<T>(namespace: CacheNamespace<T>, key: string): EntryAddress {
    if (key === '') throw new Error(`A key of the cache namespace ${namespace.name} is empty.`);
    return { ...this.whole(namespace), key };
  }

  private async fetch<T>(
    namespace: CacheNamespace<T>,
    address: EntryAddress,
    load: () => Promise<T | undefined>,
  ): Promise<Landed<T>> {
    const keys = entryKeys(this.config.REDIS_KEY_PREFIX, address);
    const found = await this.far.read(keys, namespace.ttlMs);
    const stored = decode(found?.payload, namespace.shape);
    if (stored) {
      this.statistics.count('hit_far');
      return this.landed(namespace, stored.value);
    }
    this.statistics.count(found ? 'miss' : 'bypassed');
    const payload = encode(await load());
    const loaded = decode<T>(payload)!.value; // as everybody else will read it
    const ttlMs = loaded === undefined ? namespace.negativeTtlMs : namespace.ttlMs;
    const lifeMs = Math.max(1, Math.round(ttlMs * (1 - JITTER * Math.random())));
    if (found) {
      const filled = await this.far.fill(keys, { versions: found.versions, payload, ttlMs: lifeMs });
      if (filled) this.usage?.count(address.organizationId, 'cache_bytes', Buffer.byteLength(payload));
      else this.statistics.count('fill_refused');
    }
    return this.landed(namespace, loaded);
  }

  private landed<T>({ nearTtlMs, negativeTtlMs }: CacheNamespace<T>, value: T | undefined): Landed<T> {
    const lifeMs = value === undefined ? Math.min(nearTtlMs, negativeTtlMs) : nearTtlMs;
    return { value: deepFreeze(value), lifeMs };
  }
}
