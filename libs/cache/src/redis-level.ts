/**
 * The second level, in Redis (lead.lua, fill.lua, forget.lua, lease.lua). An entry hangs on the versions of its namespace and tags:
 * random texts, made by the first load that finds none, whose texts together are the stamp that the entry carries. Invalidating
 * one deletes its version, in O(1); invalidating an entry deletes it together with the lease of its load. A fill names both the
 * lease and the versions that its load began under, and is refused when one of them is gone: a write during a load wins. A version
 * that was evicted or expired is a miss and never an old value, since the next one is another random text. So a hit is one MGET:
 * whatever happens between the reading of the keys, an entry whose stamp equals the versions was valid at that moment.
 *
 * States: there ⇄ away. Away begins with a failed command and lets one command through every quarter of a second, so
 * that a Redis which does not even refuse costs no request its 50 milliseconds. An invalidation that failed is owed: it
 * is tried again every quarter of a second, and before this process reads from Redis at all. Until then other processes
 * may still find the old value, and if this one ends before, until its TTL.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { LuaScript, type RedisClient } from '#libs/redis';
import type { EntryKeys, IndexKeys } from './cache-keys';
import { LONGEST_LIFE_MS } from './cache-namespace';
import { type FoundEntry, LookupBatch, type Looked } from './lookup-batch';

const PROBE_EVERY_MS = 250;
const VERSION_LIFE_MS = LONGEST_LIFE_MS + 60_000;
const MAX_OWED = 10_000;
/** Of a lease: what a reader waits for the load of a process that died. Its holder renews it. */
export const LEASE_MS = 2_000;
/** What an entry takes in Redis beside its payload and key: its versions, its times and its place in the index. */
const OVERHEAD_BYTES = 400;

/** What a load began under. */
export interface Lease {
  readonly name: string;
  readonly stamp: string;
}

/** A value to serve; or a load to be done, with a value to serve meanwhile where it is only stale; or neither yet. */
export interface Answer {
  readonly found?: FoundEntry;
  readonly lease?: Lease;
}

export interface Fill {
  readonly payload: Buffer;
  /** From now on, in milliseconds. */
  readonly endsMs: number;
  readonly budgetBytes: number;
}

/** `unknown`: Redis is away. */
export type FillOutcome = 'stored' | 'fill_refused' | 'too_large' | 'unknown';

/** What is to be forgotten: an entry, or a version that entries hang on. */
export type Debt = { readonly version: string } | EntryKeys;

type LeadReply = readonly [kind: 1 | 2 | 3 | 4, ...parts: Buffer[]];

const source = (name: string): string => join(__dirname, `${name}.lua`);
const FORGET = LuaScript.fromFile<number>(source('forget'), 4);
const LEASE = LuaScript.fromFile<0 | 1>(source('lease'), 1);

/** A script is called with a fixed number of keys; entries hang on one version or some more. */
function scripts<Reply>(name: string): (keys: number) => LuaScript<Reply> {
  const made = new Map<number, LuaScript<Reply>>();
  return (keys) => {
    let script = made.get(keys);
    if (!script) made.set(keys, (script = LuaScript.fromFile<Reply>(source(name), keys)));
    return script;
  };
}

const leadScript = scripts<LeadReply>('lead');
const fillScript = scripts<-1 | 0 | 1>('fill');
const OUTCOMES = { '-1': 'too_large', '0': 'fill_refused', '1': 'stored' } as const;

const idOf = (debt: Debt): string => ('version' in debt ? debt.version : debt.entry);
const indexOf = ({ ends, sizes }: IndexKeys): readonly string[] => [ends, sizes];

export class RedisLevel {
  private readonly logger = new Logger('Cache');
  private readonly owed = new Map<string, Debt>();
  private away = false;
  private nextTryAt = 0;
  private reminder: NodeJS.Timeout | undefined;

  private readonly lookups: LookupBatch;

  constructor(private readonly redis: RedisClient) {
    this.lookups = new LookupBatch(redis, (work) => this.attempt(work));
  }

  /** An entry that is fresh; null where there is none; undefined while Redis is away. */
  find(keys: EntryKeys, staleMs: number): Promise<Looked> {
    return this.lookups.look(keys, staleMs, this.away); // then only the one that tries waits for its answer
  }

  /** Asks for the lease of a load. Undefined while Redis is away. `discard`: the value there was found to be of no use. */
  lead({ entry, lease, versions }: EntryKeys, staleMs: number, discard: boolean): Promise<Answer | undefined> {
    return this.attempt(async () => {
      const name = randomBytes(12).toString('base64url');
      const settings = [name, LEASE_MS, VERSION_LIFE_MS, staleMs, discard ? 1 : 0];
      const script = leadScript(2 + versions.length);
      const [kind, ...parts] = await script.runBuffer(this.redis, [entry, lease, ...versions, ...settings]);
      if (kind === 1) return { found: entryOf(parts[0]!) };
      if (kind === 2) return {};
      const granted = { name, stamp: parts[0]!.toString() };
      return kind === 3 ? { lease: granted } : { lease: granted, found: entryOf(parts[1]!) };
    });
  }

  /** Stores what was loaded under a lease, which ends with it. */
  async fill(keys: EntryKeys, { name, stamp }: Lease, fill: Fill): Promise<FillOutcome> {
    const { payload, endsMs, budgetBytes } = fill;
    const bytes = payload.length + keys.entry.length + OVERHEAD_BYTES;
    const values = [name, stamp, payload, endsMs, VERSION_LIFE_MS, bytes, budgetBytes, keys.member, keys.entryPrefix];
    const script = fillScript(4 + keys.versions.length);
    const call = [keys.entry, keys.lease, ...indexOf(keys.index), ...keys.versions, ...values];
    const reply = await this.attempt(() => script.runBuffer(this.redis, call));
    return reply === undefined ? 'unknown' : OUTCOMES[reply];
  }

  /** Keeps a lease for as long again, or with 0 gives it back. */
  async extend({ lease }: EntryKeys, { name }: Lease, lifeMs: number): Promise<void> {
    await this.attempt(() => LEASE.run(this.redis, [lease, name, lifeMs]));
  }

  /** Forgets it. When Redis is away it is owed. */
  async forget(debt: Debt): Promise<void> {
    const id = idOf(debt);
    this.owed.delete(id);
    this.owed.set(id, debt);
    if (this.owed.size > MAX_OWED) this.owed.delete(this.owed.keys().next().value!);
    await this.settle();
  }

  /** Any other work, with the same care; undefined while Redis is away. */
  with<T>(work: (redis: RedisClient) => Promise<T>): Promise<T | undefined> {
    return this.attempt(() => work(this.redis));
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
    if (this.nextTryAt > 0) {
      const now = performance.now();
      if (now < this.nextTryAt) return undefined;
      if (this.away) this.nextTryAt = now + PROBE_EVERY_MS; // the others do without while this one tries
    }
    try {
      if (this.owed.size > 0) await this.pay();
      const result = await work();
      this.recovered();
      return result;
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  /** One by one, though together: keys of several tenants live in several slots. */
  private async pay(): Promise<void> {
    const debts = [...this.owed];
    const payments = debts.map(([, debt]) =>
      'version' in debt
        ? this.redis.del(debt.version)
        : FORGET.run(this.redis, [debt.entry, debt.lease, ...indexOf(debt.index), debt.member]),
    );
    const failed = (await Promise.allSettled(payments)).find(({ status }) => status === 'rejected');
    if (failed) throw (failed as PromiseRejectedResult).reason;
    for (const [id, debt] of debts) if (this.owed.get(id) === debt) this.owed.delete(id);
  }

  private recovered(): void {
    if (!this.away) return;
    this.logger.log('The cache answers again.');
    this.away = false;
    this.nextTryAt = 0;
  }

  private failed(error: unknown): void {
    if (!this.away) this.logger.warn({ err: error }, 'The cache does not answer; reads go to the database.');
    this.away = true;
    this.nextTryAt = performance.now() + PROBE_EVERY_MS;
  }
}

const LINE_FEED = 0x0a;

function entryOf(entry: Buffer): FoundEntry {
  return { entry, start: entry.indexOf(LINE_FEED) + 1 };
}
