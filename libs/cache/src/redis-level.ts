/**
 * The second level, in Redis. Every entry has a version, and every (tenant, namespace) another: random, made by the first
 * read that finds none. Invalidating deletes the version, whatever hangs on it, in O(1). A fill names the versions
 * under which its value was loaded and is refused when either is gone, so a write during a load wins. A version that was
 * evicted or expired is a miss and never an old value, since the next one is another random text.
 *
 * States: there ⇄ away. Away begins with a failed command and lets one command through every quarter of a second, so
 * that a Redis which does not even refuse costs no request its 50 milliseconds. An invalidation that failed is owed: it
 * is tried again every quarter of a second, and before this process reads from Redis at all. Until then other processes
 * may still find the old value, and if this one ends before, until its TTL.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { LuaScript } from '#libs/redis';
import type { Redis } from 'ioredis';
import type { EntryKeys } from './cache-keys';

const PROBE_EVERY_MS = 250;
const LONGEST_LOAD_MS = 60_000;
const MAX_OWED = 10_000;

export interface Versions {
  readonly namespace: string;
  readonly entry: string;
}

export interface Found {
  readonly versions: Versions;
  /** The stored text, or undefined for a miss. */
  readonly payload: string | undefined;
}

export interface Fill {
  readonly versions: Versions;
  readonly payload: string;
  readonly ttlMs: number;
}

const READ = LuaScript.fromFile<[namespace: string, entry: string, payload?: string]>(join(__dirname, 'read.lua'), 2);
const FILL = LuaScript.fromFile<0 | 1>(join(__dirname, 'fill.lua'), 2);

export class RedisLevel {
  private readonly logger = new Logger('Cache');
  private readonly owed = new Set<string>();
  private away = false;
  private nextTryAt = 0;
  private reminder: NodeJS.Timeout | undefined;

  constructor(private readonly redis: Redis) {}

  /** Undefined while Redis is away. */
  read(keys: EntryKeys, ttlMs: number): Promise<Found | undefined> {
    return this.attempt(async () => {
      const fresh = randomBytes(12).toString('base64url');
      const lives = [LONGEST_LOAD_MS, ttlMs + LONGEST_LOAD_MS];
      const [namespace, entry, payload] = await READ.run(this.redis, [keys.entry, keys.namespace, fresh, ...lives]);
      return { versions: { namespace, entry }, payload };
    });
  }

  /** True when it was stored, false when it was refused or Redis is away. */
  async fill(keys: EntryKeys, { versions, payload, ttlMs }: Fill): Promise<boolean> {
    const values = [versions.namespace, versions.entry, payload, ttlMs, ttlMs + LONGEST_LOAD_MS];
    return (await this.attempt(() => FILL.run(this.redis, [keys.entry, keys.namespace, ...values]))) === 1;
  }

  /** Forgets an entry, or a namespace by its version. When Redis is away it is owed. */
  async forget(key: string): Promise<void> {
    this.owed.add(key);
    if (this.owed.size > MAX_OWED) this.owed.delete(this.owed.values().next().value!);
    await this.settle();
  }

  /** Pays what is owed, now or as soon as it can be. */
  private async settle(): Promise<void> {
    this.reminder = undefined;
    await this.attempt(() => Promise.resolve());
    if (this.owed.size > 0 && this.redis.status !== 'end')
      this.reminder ??= setTimeout(() => void this.settle(), PROBE_EVERY_MS).unref();
  }

  /** Pays what is owed, then does the work. Undefined when Redis is away. */
  private async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    const now = performance.now();
    if (now < this.nextTryAt) return undefined;
    if (this.away) this.nextTryAt = now + PROBE_EVERY_MS; // the others do without while this one tries
    try {
      await this.pay();
      const result = await work();
      this.recovered();
      return result;
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  private async pay(): Promise<void> {
    if (this.owed.size === 0) return;
    const keys = [...this.owed];
    const pipeline = this.redis.pipeline();
    for (const key of keys) pipeline.del(key); // one by one: keys of several tenants live in several slots
    const replies = await pipeline.exec();
    for (const [error] of replies ?? []) if (error) throw error;
    for (const key of keys) this.owed.delete(key);
  }

  private recovered(): void {
    if (this.away) this.logger.log('The cache answers again.');
    this.away = false;
    this.nextTryAt = 0;
  }

  private failed(error: unknown): void {
    if (!this.away) this.logger.warn({ err: error }, 'The cache does not answer; reads go to the database.');
    this.away = true;
    this.nextTryAt = performance.now() + PROBE_EVERY_MS;
  }
}
