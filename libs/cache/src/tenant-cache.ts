/**
 * The tenant's cache: a second of memory in this process over minutes in Redis. Reading needs a tenant context, and
 * no key can name another tenant's value. Whoever writes calls `invalidate` or `invalidateTags`; inside a `write` that waits for
 * its end. From then on no process fills in what was loaded before, this process answers with nothing older, and the others at
 * the latest when their second of memory is over. One caller loads, whatever number of processes ask (docs/adr/0012-cache.md).
 * With Redis away every read loads, once per process at a time. What is filled in counts as the tenant's `cache_bytes`,
 * where the process meters usage.
 */
import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { PlatformEvents } from '#libs/messaging';
import { CACHE_REDIS, type RedisClient } from '#libs/redis';
import { Directory, TenantContextHolder, TIER_LIMITS, WriteScope } from '#libs/tenancy';
import { UsageMeter } from '#libs/usage';
import { type CacheGroup, entryAddress, type EntryAddress, EntryKeys, versionKey } from './cache-keys';
import type { CacheNamespace } from './cache-namespace';
import { type CacheFigure, CacheStatistics, TAGS_NAMESPACE } from './cache-statistics';
import { LoadLease } from './load-lease';
import { type Load, NearLevel } from './near-level';
import { type Decoded, deepFreeze, encode, toText } from './payload';
import { type Lease, RedisLevel } from './redis-level';

type Loader<T> = () => Promise<T | undefined>;

/** What a load is done under. */
interface Under {
  readonly keys: EntryKeys;
  readonly lease: Lease;
}

/** With the time, on the clock of performance.now(), at which the value was last known to be the newest. */
interface Loaded<T> extends Decoded<T> {
  readonly validAt: number | null;
}

/** Part of a life that is left to chance. */
const JITTER = 0.1;
const MAX_TAGS = 16;
const MAX_NAME = 400;

@Injectable()
export class TenantCache {
  readonly statistics = new CacheStatistics();
  readonly near: NearLevel;
  readonly far: RedisLevel;
  private readonly logger = new Logger('Cache');
  private readonly leases: LoadLease;

  constructor(
    private readonly tenant: TenantContextHolder,
    private readonly directory: Directory,
    private readonly writes: WriteScope,
    private readonly events: PlatformEvents,
    @Inject(CACHE_REDIS) redis: RedisClient,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REDIS_KEY_PREFIX' | 'CACHE_MEMORY_BYTES'>,
    @Optional() private readonly usage?: UsageMeter,
  ) {
    this.near = new NearLevel(config.CACHE_MEMORY_BYTES);
    this.far = new RedisLevel(redis);
    this.leases = new LoadLease(this.far);
  }

  /**
   * The current tenant's value, or what `load` answers; undefined means that there is none, and is remembered too.
   * The value is shared and frozen. `key` is not empty. Rejects only with what `load` rejects with.
   */
  async get<T>(namespace: CacheNamespace<T>, key: string, load: Loader<T>): Promise<T | undefined> {
    const address = this.address(namespace, key);
    const near = this.near.get(address);
    if (near) {
      this.count(address, 'hit_near');
      return near.value as T | undefined;
    }
    const landing = this.near.joinable(address, namespace.nearTtlMs);
    if (landing) {
      this.count(address, 'joined');
      return landing as Promise<T | undefined>;
    }
    const flight = this.near.begin(address);
    const fetched = this.fetch(namespace, address, load, flight);
    flight.landing = fetched;
    return fetched;
  }

  /**
   * Forgets a value of the current tenant, or without a key all of the namespace, here and everywhere. Call it after the
   * commit; inside of a `write` it happens when that has ended. Never rejects: while Redis is away, this process owes it the news.
   */
  invalidate<T>(namespace: CacheNamespace<T>, key?: string): Promise<void> {
    if (key === undefined) {
      const { organizationId } = this.tenant.current();
      return this.forgetGroup({ organizationId, namespace: namespace.name, tag: null });
    }
    const address = this.address(namespace, key);
    return this.writes.after(async () => {
      this.count(address, 'invalidations');
      this.near.forget(address);
      await this.far.forget(new EntryKeys(this.config.REDIS_KEY_PREFIX, address));
      this.near.forget(address); // what was read from Redis meanwhile
      this.publish(address.organizationId, namespace.name, key);
    });
  }

  /** The same for all values of the current tenant that hang on one of these tags, in whatever namespace. */
  async invalidateTags(tags: readonly string[]): Promise<void> {
    const { organizationId } = this.tenant.current();
    await Promise.all(tags.map((tag) => this.forgetGroup({ organizationId, namespace: null, tag: checked(tag) })));
  }

  /** Forgets what this process holds, on another's hint: see the event `cache.invalidated`. */
  forgetNear(organizationId: string, namespace: string, key: string): void {
    if (namespace === '') this.near.forgetGroup({ organizationId, namespace: null, tag: key });
    else if (key === '') this.near.forgetGroup({ organizationId, namespace, tag: null });
    else this.near.forget(entryAddress(organizationId, namespace, key));
  }

  private forgetGroup(group: CacheGroup): Promise<void> {
    const { organizationId, namespace, tag } = group;
    return this.writes.after(async () => {
      this.statistics.count(organizationId, namespace ?? TAGS_NAMESPACE, 'invalidations');
      this.near.forgetGroup(group);
      await this.far.forget({ version: versionKey(this.config.REDIS_KEY_PREFIX, group) });
      this.near.forgetGroup(group); // what was read from Redis meanwhile
      this.publish(organizationId, namespace ?? '', tag ?? '');
    });
  }

  private publish(organization_id: string, namespace: string, key: string): void {
    this.events.publish('cache.invalidated', { organization_id, namespace, key });
  }

  private address<T>(namespace: CacheNamespace<T>, key: string): EntryAddress {
    if (key === '') throw new Error(`A key of the cache namespace ${namespace.name} is empty.`);
    const tags = namespace.tags(key);
    if (tags.length > MAX_TAGS)
      throw new Error(`${namespace.name} ${key} has ${tags.length} tags, more than ${MAX_TAGS}.`);
    return entryAddress(this.tenant.current().organizationId, namespace.name, checked(key), tags);
  }

  private count({ organizationId, namespace }: EntryAddress, figure: CacheFigure, amount = 1): void {
    this.statistics.count(organizationId, namespace, figure, amount);
  }

  /** Ends the flight, too. */
  private async fetch<T>(
    namespace: CacheNamespace<T>,
    address: EntryAddress,
    load: Loader<T>,
    flight: Load,
  ): Promise<T | undefined> {
    try {
      const keys = new EntryKeys(this.config.REDIS_KEY_PREFIX, address);
      const { found, lease, askedAt } = await this.leases.seek(keys, namespace);
      if (found) {
        this.count(address, lease ? 'stale' : 'hit_far');
        if (lease) this.revalidate(namespace, address, load, { keys, lease });
        return this.keep(namespace, { ...found, validAt: askedAt }, flight);
      }
      this.count(address, lease ? 'miss' : 'bypassed');
      const loaded = lease
        ? await this.leases.hold(keys, lease, () => this.load(namespace, address, load, { keys, lease }))
        : await this.load(namespace, address, load);
      return this.keep(namespace, loaded, flight);
    } finally {
      this.near.end(flight);
    }
  }

  /** Loads in the background. What fails there is tried again by a later read, once the lease has ended. */
  private revalidate<T>(namespace: CacheNamespace<T>, address: EntryAddress, load: Loader<T>, under: Under): void {
    const flight = this.near.begin(address);
    void this.leases
      .hold(under.keys, under.lease, () => this.load(namespace, address, load, under), { givesBack: false })
      .then((loaded) => this.keep(namespace, loaded, flight))
      .catch((error: unknown) => this.logger.warn({ err: error, namespace: namespace.name }, 'A stale value stays.'))
      .finally(() => this.near.end(flight));
  }

  private async load<T>(
    namespace: CacheNamespace<T>,
    address: EntryAddress,
    load: Loader<T>,
    under?: Under,
  ): Promise<Loaded<T>> {
    const begunAt = performance.now();
    let text: string | undefined;
    try {
      text = toText(await load());
    } finally {
      this.count(address, 'loads');
      this.count(address, 'load_ms', performance.now() - begunAt);
    }
    const validAt = under ? await this.fill(namespace, address, text, { ...under, begunAt }) : begunAt;
    // as everybody else will read it
    const value = text === undefined ? undefined : (JSON.parse(text) as T);
    return { value, bytes: text?.length ?? 0, validAt };
  }

  /** Resolves with the latest time at which the value was known to be the newest; null where it is not any more. */
  private async fill<T>(
    { ttlMs, negativeTtlMs, staleMs, compressAboveBytes }: CacheNamespace<T>,
    address: EntryAddress,
    text: string | undefined,
    { keys, lease, begunAt }: Under & { readonly begunAt: number },
  ): Promise<number | null> {
    const payload = await encode(text, compressAboveBytes);
    if (!payload) {
      this.count(address, 'too_large');
      await this.leases.giveBack(keys, lease);
      return begunAt;
    }
    const { organizationId } = address;
    const lifeMs = text === undefined ? negativeTtlMs : ttlMs;
    const freshMs = Math.max(1, Math.round(lifeMs * (1 - JITTER * Math.random())));
    const organization = await this.directory.find(organizationId);
    const { maxCacheBytes: budgetBytes } = organization?.limits ?? TIER_LIMITS.free;
    const filledAt = performance.now();
    const outcome = await this.far.fill(keys, lease, { payload, endsMs: freshMs + staleMs, budgetBytes });
    if (outcome === 'unknown') return begunAt;
    if (outcome !== 'stored') {
      this.count(address, outcome);
      return outcome === 'fill_refused' ? null : filledAt;
    }
    this.count(address, 'sets');
    this.count(address, 'set_bytes', payload.length);
    this.usage?.count(organizationId, 'cache_bytes', payload.length);
    return filledAt;
  }

  private keep<T>(
    { nearTtlMs, negativeTtlMs }: CacheNamespace<T>,
    { value, bytes, validAt }: Loaded<T>,
    flight: Load,
  ): T | undefined {
    const kept = deepFreeze(value);
    if (validAt !== null) {
      const lifeMs = value === undefined ? Math.min(nearTtlMs, negativeTtlMs) : nearTtlMs;
      this.near.keep(flight, { value: kept, bytes, validAt, lifeMs });
    }
    return kept;
  }
}

function checked(name: string): string {
  if (name.length > MAX_NAME) throw new Error(`A key or tag of ${name.length} characters is too long for the cache.`);
  return name;
}
