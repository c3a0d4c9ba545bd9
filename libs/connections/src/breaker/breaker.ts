/**
 * A circuit breaker as it stands in the row of its connection, so that all workers share it. After M. Nygard, "Release It!"
 * (2nd edition, 5.1 "Circuit Breaker").
 *
 * State machine:
 * - closed → closed: a success forgets the failures in a row; a failure counts one more
 * - closed → open: the failure that makes `threshold` in a row
 * - open → open: whoever asks before the pause is over is told how long it takes
 * - open → half_open: the first who asks after the pause; it alone tries
 * - half_open → closed: the trial succeeds
 * - half_open → open: the trial fails; the next pause is twice as long, up to an hour
 * - half_open → half_open: a trial that says nothing for `trialMs` is lost, and the next who asks tries in its place
 *
 * Pure: whoever writes what it says must find the row as it was read (see `revision`), or read and ask again.
 */
export const BREAKER_STATES = ['closed', 'open', 'half_open'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

export interface BreakerRow {
  readonly state: BreakerState;
  /** In a row. */
  readonly failures: number;
  /** Since the last success. */
  readonly openings: number;
  /** The job that tries; null unless half-open. */
  readonly trial: string | null;
  /** Of the pause, or of the trial's time; 0 or less when that is over, null while closed. */
  readonly remainingMs: number | null;
}

/** What is to be written. */
export interface BreakerChange {
  readonly state: BreakerState;
  readonly failures: number;
  readonly openings: number;
  readonly trial: string | null;
  /** From now on until it is tried again; null: closed. */
  readonly pauseMs: number | null;
}

export type Admission =
  | { readonly kind: 'go' }
  /** Go, once this is written. */
  | { readonly kind: 'trial'; readonly change: BreakerChange }
  | { readonly kind: 'wait'; readonly ms: number };

export interface BreakerRules {
  /** Failures in a row that open it. */
  readonly threshold: number;
  /** The first pause; doubles with each further opening. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** After so long a trial counts as lost. */
  readonly trialMs: number;
}

export const CLOSED: BreakerChange = { state: 'closed', failures: 0, openings: 0, trial: null, pauseMs: null };

/** Pauses are up to a fifth shorter, so that those that broke together do not come back together. */
const JITTER = 0.2;

const shortened = (ms: number, random: number) => ms * (1 - JITTER * random);

export class Breaker {
  constructor(private readonly rules: BreakerRules) {}

  /** May this job ask the outside system now? */
  admit({ state, failures, openings, trial, remainingMs }: BreakerRow, job: string): Admission {
    if (state === 'closed' || (state === 'half_open' && trial === job)) return { kind: 'go' };
    if (remainingMs !== null && remainingMs > 0) return { kind: 'wait', ms: remainingMs };
    const change = { state: 'half_open', failures, openings, trial: job, pauseMs: this.rules.trialMs } as const;
    return { kind: 'trial', change };
  }

  /** After a failure. `atLeastMs` is the pause that the other side asked for. */
  failed({ state, failures, openings }: BreakerRow, atLeastMs = 0, random = Math.random()): BreakerChange {
    const inARow = failures + 1;
    if (state === 'closed' && inARow < this.rules.threshold) return { ...CLOSED, failures: inARow };
    const { firstPauseMs, longestPauseMs } = this.rules;
    const full = Math.min(firstPauseMs * 2 ** Math.min(openings, 30), longestPauseMs);
    const pauseMs = Math.min(Math.max(shortened(full, random), atLeastMs), longestPauseMs);
    return { state: 'open', failures: inARow, openings: openings + 1, trial: null, pauseMs: Math.round(pauseMs) };
  }

  /** While it is still closed: from a sixth of the first pause, doubling, up to that. */
  pauseBefore(failures: number, random = Math.random()): number {
    const { firstPauseMs } = this.rules;
    return shortened(Math.min((firstPauseMs / 6) * 2 ** (failures - 1), firstPauseMs), random);
  }
}
