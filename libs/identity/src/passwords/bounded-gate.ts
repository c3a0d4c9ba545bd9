/**
 * Lets a few pieces of costly work run at once, keeps a bounded number waiting in order, and refuses the rest, so
 * that a storm of logins can exhaust neither memory nor the thread pool.
 */
import { StockyardError } from '#libs/kernel';

export interface GateLimits {
  readonly running: number;
  readonly waiting: number;
}

export class BoundedGate {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly limits: GateLimits) {}

  /** Runs `work` when its turn comes. Throws `busy` (503) at once when the queue is full. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.enter();
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  private enter(): Promise<void> | void {
    if (this.running < this.limits.running) {
      this.running += 1;
      return;
    }
    if (this.waiting.length >= this.limits.waiting) {
      throw new StockyardError({
        code: 'busy',
        category: 'unavailable',
        message: 'Too many passwords are being checked at the moment. Retry.',
        retryAfterSeconds: 1,
      });
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** A place is handed on, not freed, while someone waits: nobody can slip in between. */
  private leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.running -= 1;
  }
}
