/** The breaker of connections, with the numbers of the configuration. */
import type { AppConfig } from '#libs/config';
import { Breaker } from '../breaker/breaker';

const LONGEST_PAUSE_MS = 3_600_000;
/** Beyond the longest that a page may take: for the commit, and for a worker that is lost. */
const TRIAL_GRACE_MS = 60_000;

export type BreakerConfig = Pick<AppConfig, 'SYNC_TRY_MS' | 'SYNC_BREAKER_FAILURES' | 'SYNC_BREAKER_PAUSE_MS'>;

export function syncBreaker({ SYNC_TRY_MS, SYNC_BREAKER_FAILURES, SYNC_BREAKER_PAUSE_MS }: BreakerConfig): Breaker {
  return new Breaker({
    threshold: SYNC_BREAKER_FAILURES,
    firstPauseMs: SYNC_BREAKER_PAUSE_MS,
    longestPauseMs: LONGEST_PAUSE_MS,
    trialMs: SYNC_TRY_MS + TRIAL_GRACE_MS,
  });
}
