/** The time during which the organization's writes wait, and its end. */

/** Share of the longest pause after which it is given up; the rest is for taking the fence back. */
const GIVE_UP = 0.8;

export class Pause {
  /** Both of performance.now(). */
  readonly startedAt = performance.now();
  readonly giveUpAt: number;
  /** Its arrival says that every write before the fence is applied. */
  mark: string | undefined;
  /** Of the place that was fenced. */
  tier: string | undefined;
  private expired = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly maxPauseMs: number) {
    this.giveUpAt = this.startedAt + maxPauseMs * GIVE_UP;
  }

  /** Calls `onExpiry` when the longest pause is over, unless {@link end} comes first. */
  watch(onExpiry: () => void): void {
    this.timer ??= setTimeout(() => {
      this.expired = true;
      onExpiry();
    }, this.maxPauseMs - this.lastedMs);
  }

  /** True once a watched pause took too long. */
  get isExpired(): boolean {
    return this.expired;
  }

  /** Whole milliseconds so far. */
  get lastedMs(): number {
    return Math.round(performance.now() - this.startedAt);
  }

  /** Whole milliseconds that are left, at least one: what a server's timeout can be set to. */
  get leftMs(): number {
    return Math.max(1, Math.floor(this.giveUpAt - performance.now()));
  }

  end(): void {
    clearTimeout(this.timer);
  }
}
