/**
 * Lookups that are asked for in the same turn of the event loop share one MGET: a version that several of them hang on is read
 * once, and one system call sends them all. As an MGET reads at one moment, what holds of an entry and its versions alone
 * holds of all. A batch that is full goes at once, so that Redis answers it while the next one is put together. In a cluster each lookup
 * goes on its own, as the tenants' keys live on several nodes.
 */
import type { RedisClient } from '#libs/redis';
import type { EntryKeys } from './cache-keys';

/** An entry and where its payload begins. */
export interface FoundEntry {
  readonly entry: Buffer;
  readonly start: number;
}

/** An entry that is valid and fresh; null where there is none; undefined while Redis is away. */
export type Looked = FoundEntry | null | undefined;

/** Runs work against Redis; undefined while that is away. Never rejects. */
export type Attempt = <T>(work: () => Promise<T>) => Promise<T | undefined>;

interface Lookup {
  readonly keys: EntryKeys;
  /** What the entry must have left to be fresh; more than 0 costs a PTTL. */
  readonly staleMs: number;
  resolve(looked: Looked): void;
}

/** What was read for a batch. */
interface Replies {
  /** Of the entries in the order of their lookups, then of the versions. */
  readonly values: readonly (Buffer | null)[];
  /** Milliseconds left, of each lookup that asks for them. */
  readonly lives: readonly number[];
}

const MOST_LOOKUPS = 32;
const LINE_FEED = 0x0a;

export class LookupBatch {
  private readonly most: number;
  private waiting: Lookup[] = [];
  private readonly send = (): void => void this.sendWaiting();

  constructor(
    private readonly redis: RedisClient,
    private readonly attempt: Attempt,
  ) {
    this.most = redis.isCluster ? 1 : MOST_LOOKUPS;
  }

  /** `alone`: the others of this turn do not wait with it. */
  look(keys: EntryKeys, staleMs: number, alone: boolean): Promise<Looked> {
    return new Promise((resolve) => {
      const waiting = this.waiting.push({ keys, staleMs, resolve });
      if (alone || waiting === this.most) this.send();
      else if (waiting === 1) process.nextTick(this.send);
    });
  }

  private async sendWaiting(): Promise<void> {
    const lookups = this.waiting;
    if (lookups.length === 0) return;
    this.waiting = [];
    const keys = lookups.map((lookup) => lookup.keys.entry);
    const places = new Map<string, number>();
    for (const lookup of lookups) {
      for (const version of lookup.keys.versions) {
        if (places.has(version)) continue;
        places.set(version, keys.length);
        keys.push(version);
      }
    }
    const replies = await this.attempt(() => this.read(keys, lookups));
    if (!replies) {
      for (const { resolve } of lookups) resolve(undefined);
      return;
    }
    const { values, lives } = replies;
    let life = 0;
    for (let index = 0; index < lookups.length; index += 1) {
      const { keys: own, staleMs, resolve } = lookups[index]!;
      const fresh = staleMs === 0 || lives[life++]! > staleMs;
      const entry = values[index];
      resolve(entry && fresh ? validEntry(entry, own.versions, (version) => values[places.get(version)!]) : null);
    }
  }

  private async read(keys: readonly string[], lookups: readonly Lookup[]): Promise<Replies> {
    const aging = lookups.filter(({ staleMs }) => staleMs > 0);
    if (aging.length === 0) return { values: await this.redis.mgetBuffer(...keys), lives: [] };
    if (this.redis.isCluster) {
      const pttl = this.redis.pttl(keys[0]!);
      const [values, leftMs] = await Promise.all([this.redis.mgetBuffer(...keys), pttl]);
      return { values, lives: [leftMs] };
    }
    const pipeline = this.redis.pipeline().mgetBuffer(...keys);
    for (const { keys } of aging) pipeline.pttl(keys.entry);
    const [values, ...lives] = (await pipeline.exec())!.map(([error, reply]) => {
      if (error) throw error;
      return reply;
    });
    return { values: values as (Buffer | null)[], lives: lives as number[] };
  }
}

/** Null unless the entry carries the texts of the versions it hangs on as its stamp. */
function validEntry(
  entry: Buffer,
  versions: readonly string[],
  textOf: (version: string) => Buffer | null | undefined,
): FoundEntry | null {
  let at = 0;
  for (const version of versions) {
    const text = textOf(version);
    if (!text || !holdsAt(entry, text, at)) return null;
    at += text.length + 1; // a blank, or behind the last one the line feed
  }
  return entry[at - 1] === LINE_FEED ? { entry, start: at } : null;
}

/** For a few bytes a loop is quicker than the call of `compare`. */
function holdsAt(entry: Buffer, text: Buffer, at: number): boolean {
  for (let index = 0; index < text.length; index += 1) if (entry[at + index] !== text[index]) return false;
  return true;
}
