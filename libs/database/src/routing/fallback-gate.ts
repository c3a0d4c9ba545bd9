/** Bounds the reads that go to a primary only because no replica can serve them: a lagging fleet must not crush it. */
import { replicasBehind } from '../database.error';

export class FallbackGate {
  private inUse = 0;
  private readonly waiting: (() => void)[] = [];

  /** `capacity`: how many at once. */
  constructor(
    private readonly capacity: number,
    private readonly waitMs: number,
  ) {}

  get used(): number {
    return this.inUse;
  }

  /** Resolves with the way to leave again. Throws `replicas_behind` (503) after `waitMs`. First come, first served. */
  async enter(): Promise<() => void> {
    if (this.inUse < this.capacity) this.inUse += 1;
    else await this.turn();
    return () => this.leave();
  }

  private async turn(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      const go = () => {
        clearTimeout(timer);
        resolve();
      };
      this.waiting.push(go);
      timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(go), 1);
        reject(replicasBehind());
      }, this.waitMs);
    });
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.inUse -= 1;
  }
}
