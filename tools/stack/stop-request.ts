// Ctrl-C and its relatives: the first asks for an orderly stop, a second Ctrl-C for an immediate one.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
// One Ctrl-C arrives several times: from the terminal, from npm and from the process that started this one.
const SAME_KEYSTROKE_MS = 700;

/** States: quiet → requested, never back. */
export class StopRequest {
  private at: number | undefined;
  private resolve: (reason: string) => void = () => undefined;

  /** Fulfilled with what asked for it, e.g. "SIGINT"; never rejected. */
  readonly requested = new Promise<string>((resolve) => (this.resolve = resolve));

  /** `hurry` is called at a second Ctrl-C. */
  constructor(private readonly hurry: () => void) {}

  get isRequested(): boolean {
    return this.at !== undefined;
  }

  /** Listens to the signals of this process, and to the end of the process that started it. */
  listen(): this {
    for (const signal of SIGNALS) process.on(signal, () => this.signal(signal));
    if (process.connected) process.once('disconnect', () => this.signal('SIGHUP'));
    return this;
  }

  signal(signal: (typeof SIGNALS)[number], now = performance.now()): void {
    if (this.at === undefined) {
      this.at = now;
      this.resolve(signal);
    } else if (signal === 'SIGINT' && now - this.at > SAME_KEYSTROKE_MS) {
      this.hurry();
    }
  }
}
