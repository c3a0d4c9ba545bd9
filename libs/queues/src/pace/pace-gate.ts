/**
 * Lets jobs of one class in, as many at once as its width says. Below 1, one at a time, and after each a rest: at a width of 1/4 three
 * times as long as it took, LONGEST_REST_MS at most. Whose turn it is among those that wait: see turns.ts. Who has been inside for
 * HOLD_MS without coming back to the gate no longer counts, so that one long step does not keep all others waiting.
 */
import { type Ticket, Turns } from './turns';

export const HOLD_MS = 2_000;
export const LONGEST_REST_MS = 1_000;

/** May be called more than once. */
export type LeavePace = () => void;

interface Waiter {
  readonly ticket: Ticket;
  readonly enter: () => void;
}

export class PaceGate {
  private inside = 0;
  private restUntil = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly waiting = new Set<Waiter>();
  private readonly turns = new Turns();

  /** Jobs at once; a fraction above 1 does not count. */
  constructor(private readonly width: () => number) {}

  get busy(): boolean {
    return this.inside > 0 || this.waiting.size > 0;
  }

  /** Resolves when it is this job's turn, or when `signal` aborts: what stops must not wait. */
  enter(ticket: Ticket, signal: AbortSignal): Promise<LeavePace> {
    this.turns.come(ticket);
    if (this.waiting.size === 0 && this.hasRoom() && this.restMs() <= 0) return Promise.resolve(this.admit(ticket));
    return new Promise((resolve) => {
      const enter = () => {
        signal.removeEventListener('abort', stop);
        resolve(this.admit(ticket));
      };
      const waiter: Waiter = { ticket, enter };
      const stop = () => {
        this.waiting.delete(waiter);
        this.wake(); // no timer stays for who is gone
        resolve(() => undefined);
      };
      if (signal.aborted) {
        stop();
        return;
      }
      signal.addEventListener('abort', stop, { once: true });
      this.waiting.add(waiter);
      this.wake();
    });
  }

  /** Lets in whoever may come in now: call it when the width has changed. */
  wake(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const restMs = this.restMs(); // one look: a rest that ends between two would wake nobody
    if (restMs > 0) {
      if (this.waiting.size > 0) this.timer = setTimeout(() => this.wake(), restMs);
      return;
    }
    while (this.hasRoom()) {
      const waiter = this.turns.next(this.waiting);
      if (!waiter) break;
      this.waiting.delete(waiter);
      waiter.enter();
    }
  }

  private restMs(): number {
    return this.restUntil - performance.now();
  }

  private hasRoom(): boolean {
    return this.inside < Math.max(1, Math.floor(this.width()));
  }

  private admit(ticket: Ticket): LeavePace {
    const since = performance.now();
    this.turns.begin(ticket);
    this.inside += 1;
    let counts = true;
    const leave = () => {
      if (!counts) return;
      counts = false;
      clearTimeout(overdue);
      this.inside -= 1;
      const tookMs = performance.now() - since;
      this.turns.end(ticket, tookMs);
      this.rest(tookMs);
      this.wake();
    };
    const overdue = setTimeout(leave, HOLD_MS).unref();
    return leave;
  }

  private rest(tookMs: number): void {
    const width = this.width();
    if (width >= 1) return;
    const until = performance.now() + Math.min(LONGEST_REST_MS, tookMs * (1 / width - 1));
    this.restUntil = Math.max(this.restUntil, until); // of several that were inside, each has its rest
  }
}
