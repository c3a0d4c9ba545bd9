/**
 * One load for all processes: who finds nothing is granted a lease by Redis and loads; the others look again, with growing
 * pauses, until it is there. The holder renews its lease while it loads, and gives it back where the load fails, so that the next
 * one tries; of a holder that died the others learn when the lease ends.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { EntryKeys } from './cache-keys';
import type { CacheNamespace } from './cache-namespace';
import { type Decoded, decode } from './payload';
import { type Lease, LEASE_MS, type RedisLevel } from './redis-level';

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 50;
/** How long a reader waits for the load of another process before it loads by itself, and keeps it to itself. */
const LONGEST_WAIT_MS = 10_000;
const RENEW_EVERY_MS = LEASE_MS / 3;

/** A value; or the lease to load it; or a stale value with the lease; or nothing, where the caller is on its own. */
export interface Sought<T> {
  readonly found?: Decoded<T> | undefined;
  readonly lease?: Lease | undefined;
  /** When Redis was asked, on the clock of performance.now(). */
  readonly askedAt: number;
}

export class LoadLease {
  constructor(private readonly far: RedisLevel) {}

  async seek<T>(keys: EntryKeys, { staleMs, shape }: CacheNamespace<T>): Promise<Sought<T>> {
    let askedAt = performance.now();
    const there = await this.far.find(keys, staleMs);
    if (there === undefined) return { askedAt };
    const decoded = there ? decode(there.entry, there.start, shape) : undefined;
    const found = decoded && 'then' in decoded ? await decoded : decoded; // a turn less where nothing is to be unpacked
    if (found) return { found, askedAt };
    let discard = there !== null; // of another release, or damaged: it is loaded anew
    const until = askedAt + LONGEST_WAIT_MS;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      askedAt = performance.now();
      const answer = askedAt > until ? undefined : await this.far.lead(keys, staleMs, discard);
      if (!answer) return { askedAt };
      const { lease } = answer;
      const value = answer.found && (await decode(answer.found.entry, answer.found.start, shape));
      if (value) return { found: value, lease, askedAt };
      if (lease) return { lease, askedAt };
      discard = answer.found !== undefined;
      if (!discard) await delay(pause * (0.5 + Math.random() / 2));
    }
  }

  /** Does the work under a lease. `givesBack` (default): at once where it fails; else its time runs out, as a pause. */
  async hold<R>(
    keys: EntryKeys,
    lease: Lease,
    work: () => Promise<R>,
    { givesBack = true }: { readonly givesBack?: boolean } = {},
  ): Promise<R> {
    const timer = setInterval(() => void this.far.extend(keys, lease, LEASE_MS), RENEW_EVERY_MS);
    try {
      return await work();
    } catch (error) {
      if (givesBack) await this.giveBack(keys, lease);
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  giveBack(keys: EntryKeys, lease: Lease): Promise<void> {
    return this.far.extend(keys, lease, 0);
  }
}
