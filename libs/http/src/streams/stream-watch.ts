/** One open event stream's place among the others: it learns here that there may be something new, or that it must end. */

export class StreamWatch {
  private readonly ending = new AbortController();
  private hinted = false;
  private look: (() => void) | undefined;

  constructor(
    /** Whose it is: an organization, say. */
    readonly owner: string,
    /** What it is about. */
    readonly topic: string,
  ) {}

  /** Aborted when the stream must end. */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  private get over(): boolean {
    return this.ending.signal.aborted;
  }

  /** There may be something new. */
  hint(): void {
    this.hinted = true;
    this.look?.();
  }

  /** Whoever waits, goes on and is told so. */
  end(): void {
    this.ending.abort();
    this.look?.();
  }

  /** Waits for a hint, `mostMs` at most, and `leastMs` at least however many hints come. False when it has ended. */
  async next(leastMs: number, mostMs: number): Promise<boolean> {
    await this.wait(leastMs, () => this.over);
    await this.wait(mostMs - leastMs, () => this.over || this.hinted);
    this.hinted = false;
    return !this.over;
  }

  private async wait(ms: number, isOver: () => boolean): Promise<void> {
    if (isOver()) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.look = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.look = () => isOver() && done();
    });
  }
}
