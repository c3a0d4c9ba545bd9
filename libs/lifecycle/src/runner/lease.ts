/**
 * A worker's hold on an operation: renewed three times a lease, given up for good when it could not be. Its signal tells the
 * step at hand to stop before another worker may begin.
 */

/** Why the holder must let go. */
export type LetGoReason = 'lost' | 'stopping' | 'roll_back';

export interface LeaseOptions {
  readonly leaseMs: number;
  /** A sign of life; resolves with undefined where the hold is lost. */
  readonly renew: () => Promise<{ rollingBack: boolean } | undefined>;
  /** Whether undoing is what the holder does already. */
  readonly rollingBack: boolean;
}

const RENEWALS_PER_LEASE = 3;
/** Of the lease; the rest is for clocks and for the step to notice. */
const TRUSTED_SHARE = 0.8;

export class Lease {
  /** undefined while the hold is good. */
  reason: LetGoReason | undefined;
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private renewedAtMs = performance.now();

  constructor(private readonly options: LeaseOptions) {}

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  start(): void {
    this.timer = setInterval(() => void this.check(), this.options.leaseMs / RENEWALS_PER_LEASE);
  }

  end(): void {
    clearInterval(this.timer);
  }

  /** Renews, and lets go where the hold is lost or an operator wants the operation undone. Never throws. */
  async check(): Promise<void> {
    const askedAtMs = performance.now();
    try {
      const held = await this.options.renew();
      if (!held) this.letGo('lost');
      else if (held.rollingBack && !this.options.rollingBack) this.letGo('roll_back');
      else this.renewedAtMs = askedAtMs;
    } catch {
      // the database is away: the hold is good for as long as the lease was given
      if (performance.now() - this.renewedAtMs > this.options.leaseMs * TRUSTED_SHARE) this.letGo('lost');
    }
  }

  letGo(reason: LetGoReason): void {
    this.reason ??= reason;
    this.controller.abort(new Error(`The operation is let go of (${this.reason}).`));
  }
}
