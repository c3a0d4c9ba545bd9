/**
 * What take.lua promises, said as simply as can be: every admission is remembered with its time, and looked through for
 * each request. Times in microseconds.
 */
import type { Policy } from '../src/policy';

export interface ModelOptions {
  readonly window: Policy['window'];
  readonly windowMs: number;
}

export interface Decision {
  readonly admitted: boolean;
  readonly used: number;
}

const SIXTIETHS = 60;

export class ReferenceModel {
  private taken: number[] = [];
  private fixedEnd = -Infinity;

  constructor(private readonly options: ModelOptions) {}

  /** What counts at the moment. */
  used(nowMicros: number): number {
    this.setBack(nowMicros);
    this.taken = this.taken.filter((at) => this.counts(at, nowMicros));
    return this.taken.length;
  }

  take(limit: number, nowMicros: number): Decision {
    const used = this.used(nowMicros);
    if (used >= limit) return { admitted: false, used };
    if (used === 0) this.fixedEnd = this.ms(nowMicros) + this.options.windowMs;
    this.taken.push(nowMicros);
    return { admitted: true, used: used + 1 };
  }

  private ms(micros: number): number {
    return Math.floor(micros / 1_000);
  }

  private sixtieth(micros: number): number {
    return Math.floor(this.ms(micros) / this.width);
  }

  private get width(): number {
    return Math.ceil(this.options.windowMs / SIXTIETHS);
  }

  private counts(at: number, now: number): boolean {
    const { window, windowMs } = this.options;
    if (window === 'bucket') return at + windowMs * 1_000 > now;
    if (window === 'fixed') return this.fixedEnd > this.ms(now);
    if (window === 'aligned') return Math.floor(this.ms(at) / windowMs) === Math.floor(this.ms(now) / windowMs);
    return (this.sixtieth(at) + 1) * this.width + windowMs > this.ms(now);
  }

  /** When the clock was set back, what is on record as later counts as of now. */
  private setBack(now: number): void {
    const { window, windowMs } = this.options;
    if (window === 'fixed') this.fixedEnd = Math.min(this.fixedEnd, this.ms(now) + windowMs);
    const later = (at: number): boolean => (window === 'sliding' ? this.sixtieth(at) > this.sixtieth(now) : at > now);
    if (window === 'sliding' && this.taken.some(later)) {
      // The whole of it: its sixtieths are kept by number, and only the sum is left.
      this.taken = this.taken.filter((at) => this.counts(at, Math.max(...this.taken))).map(() => now);
    } else this.taken = this.taken.map((at) => (later(at) ? now : at));
  }
}
