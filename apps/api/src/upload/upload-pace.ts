/**
 * How long an upload may keep its reader waiting. Measured in windows of waiting, so that a store which is slow to take what has
 * arrived is not held against the client.
 */
import type { AppConfig } from '#libs/config';
import { StockyardError } from '#libs/kernel';

export type UploadPaceLimits = Pick<
  AppConfig,
  'UPLOAD_TIMEOUT_MS' | 'UPLOAD_MIN_BYTES_PER_SECOND' | 'UPLOAD_WINDOW_MS' | 'UPLOAD_GRACE_MS'
>;

export class UploadPace {
  private readonly beganAt = performance.now();
  private windowMs: number;
  private waitedMs = 0;
  private bytes = 0;

  constructor(private readonly limits: UploadPaceLimits) {
    this.windowMs = limits.UPLOAD_GRACE_MS + limits.UPLOAD_WINDOW_MS;
  }

  /** How long it may be waited for now, before waited() must be asked. */
  get patienceMs(): number {
    const leftMs = this.beganAt + this.limits.UPLOAD_TIMEOUT_MS - performance.now();
    return Math.max(0, Math.min(this.windowMs - this.waitedMs, leftMs));
  }

  received(bytes: number): void {
    this.bytes += bytes;
  }

  /** Throws `too_slow` (408) for too few bytes in a window that is over, and `upload_timeout` (408). */
  waited(ms: number): void {
    const { UPLOAD_TIMEOUT_MS, UPLOAD_WINDOW_MS, UPLOAD_MIN_BYTES_PER_SECOND } = this.limits;
    if (performance.now() - this.beganAt >= UPLOAD_TIMEOUT_MS) throw tookTooLong(UPLOAD_TIMEOUT_MS);
    this.waitedMs += ms;
    if (this.waitedMs < this.windowMs) return;
    if (this.bytes < (UPLOAD_MIN_BYTES_PER_SECOND * UPLOAD_WINDOW_MS) / 1_000) throw tooSlow(this.limits);
    this.windowMs = UPLOAD_WINDOW_MS;
    this.waitedMs = 0;
    this.bytes = 0;
  }
}

function tooSlow({ UPLOAD_MIN_BYTES_PER_SECOND, UPLOAD_WINDOW_MS }: UploadPaceLimits): StockyardError {
  return new StockyardError({
    code: 'too_slow',
    category: 'timed_out',
    message: `The upload arrives at less than ${UPLOAD_MIN_BYTES_PER_SECOND} bytes a second; send the whole file again over a better line, or a smaller one.`,
    details: { min_bytes_per_second: UPLOAD_MIN_BYTES_PER_SECOND, window_ms: UPLOAD_WINDOW_MS },
  });
}

function tookTooLong(limit: number): StockyardError {
  return new StockyardError({
    code: 'upload_timeout',
    category: 'timed_out',
    message: `The upload did not arrive within ${limit} ms; split the file.`,
    details: { limit_ms: limit },
  });
}
