/** The time that one run of a job may take. It stands still while the run waits for its turn: who gives way must not fail for it. */
export class RunTime {
  private timer: NodeJS.Timeout | undefined;
  private since = 0;
  private ended = false;

  constructor(
    private leftMs: number,
    private readonly over: () => void,
  ) {
    this.goOn();
  }

  async without(wait: () => Promise<void>): Promise<void> {
    this.stop();
    await wait();
    this.goOn();
  }

  end(): void {
    this.ended = true;
    this.stop();
  }

  private stop(): void {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.leftMs -= performance.now() - this.since;
  }

  private goOn(): void {
    if (this.ended || this.timer !== undefined) return;
    this.since = performance.now();
    this.timer = setTimeout(this.over, Math.max(1, this.leftMs));
  }
}
