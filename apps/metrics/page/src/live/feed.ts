/**
 * One view that is kept up to date. States: `connecting` (nothing seen yet) → `live` ⇄ `reconnecting`, and `stopped`, with
 * the problem that asking again would not solve. `paused` while nobody looks. What was seen last is kept through all of them.
 */
import type { Problem } from '../api/problem';
import { passes } from '../api/problem';
import { pauseMs } from './pause';

export type Connection =
  | { readonly kind: 'connecting' | 'live' | 'paused' }
  | { readonly kind: 'reconnecting'; readonly since: number; readonly nextAt: number; readonly problem: Problem }
  | { readonly kind: 'stopped'; readonly problem: Problem };

/** How a try came to its end: as it should, and when to ask again, or with a problem. */
export type Outcome = { readonly againMs?: number; readonly problem?: Problem };
/** Gets views until it has to be tried anew. */
export type Attempt<V> = (take: (view: V) => void, signal: AbortSignal) => Promise<Outcome>;

export interface FeedOptions<V> {
  readonly attempt: Attempt<V>;
  readonly changed: () => void;
  readonly now?: () => number;
  readonly random?: () => number;
}

/** A stream that lasted so long was no failure: the next one is opened as if it were the first. */
const SETTLED_MS = 10_000;
const CUT_SHORT: Problem = { status: 0, code: 'cut_short', detail: 'The stream ended too soon.' };

export class Feed<V> {
  view: V | undefined;
  /** When the view came. */
  seenAt = 0;
  connection: Connection = { kind: 'connecting' };
  /** How often it is asked for; undefined: it tells by itself. */
  everyMs: number | undefined;
  private running: AbortController | undefined;
  private wake: (() => void) | undefined;
  private readonly now: () => number;
  private readonly random: () => number;

  constructor(private readonly options: FeedOptions<V>) {
    this.now = options.now ?? Date.now;
    this.random = options.random ?? Math.random;
  }

  /** Begins, or goes on after a pause. */
  start(): void {
    if (this.running || this.connection.kind === 'stopped') return;
    this.running = new AbortController();
    if (this.connection.kind === 'paused') this.become({ kind: 'connecting' });
    void this.run(this.running.signal);
  }

  pause(): void {
    this.stop();
    if (this.connection.kind !== 'stopped') this.become({ kind: 'paused' });
  }

  /** Ends for good, or until the next start. */
  stop(): void {
    this.running?.abort();
    this.running = undefined;
  }

  /** Does not wait out the pause: somebody asked, or the network is back. */
  hurry(): void {
    this.wake?.();
  }

  private async run(signal: AbortSignal): Promise<void> {
    const over = (): boolean => signal.aborted; // asked anew after everything that takes time
    let failures = 0;
    while (!over()) {
      const began = this.now();
      const outcome = await this.options.attempt((view) => {
        if (over()) return;
        this.view = view;
        this.seenAt = this.now();
        this.become({ kind: 'live' });
      }, signal);
      if (over()) return;
      if (outcome.problem && !passes(outcome.problem)) {
        this.stop();
        this.become({ kind: 'stopped', problem: outcome.problem });
        return;
      }
      this.everyMs = outcome.againMs;
      const settled = outcome.againMs !== undefined || this.now() - began >= SETTLED_MS;
      const problem = outcome.problem ?? (settled ? undefined : CUT_SHORT);
      if (settled) failures = 0;
      if (problem) failures += 1;
      const ms = outcome.againMs ?? pauseMs(failures, this.random(), problem?.retryAfterMs);
      if (problem) this.reconnecting(problem, ms);
      await this.rest(ms, signal);
    }
  }

  private reconnecting(problem: Problem, ms: number): void {
    const now = this.now();
    const since = this.connection.kind === 'reconnecting' ? this.connection.since : now;
    this.become({ kind: 'reconnecting', since, nextAt: now + ms, problem });
  }

  private async rest(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const over = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', over);
        this.wake = undefined;
        resolve();
      };
      const timer = setTimeout(over, ms);
      signal.addEventListener('abort', over);
      this.wake = over;
    });
  }

  private become(connection: Connection): void {
    this.connection = connection;
    this.options.changed();
  }
}
