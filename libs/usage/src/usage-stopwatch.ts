/** Time that is charged while it passes, in whole milliseconds, so that a process which dies has charged most of it. */
export class UsageStopwatch {
  private readonly began: number;
  private chargedMs = 0;

  /** `nowMs` only rises; `charge` is given what has passed since it was called last. */
  constructor(
    private readonly charge: (ms: number) => void,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.began = nowMs();
  }

  /** Charges what has passed so far. */
  lap(): void {
    this.chargeUpTo(Math.floor(this.nowMs() - this.began));
  }

  /** Charges the rest; all in all one millisecond at least. */
  stop(): void {
    this.chargeUpTo(Math.max(1, Math.round(this.nowMs() - this.began)));
  }

  private chargeUpTo(ms: number): void {
    if (ms <= this.chargedMs) return;
    this.charge(ms - this.chargedMs);
    this.chargedMs = ms;
  }
}
