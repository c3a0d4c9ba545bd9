/**
 * Runs tasks in parallel, but tasks that share a key one after another in the order they came. A task waits in the
 * line of each of its keys and starts when it is first in all of them. Lines are joined in one order, so the oldest
 * waiting task is first everywhere: something can always run.
 *
 * Task: waiting → ready (first in every line) → running → gone (left its lines, which may make others ready).
 * At most `concurrency` run and at most `window` are not gone; `submit` waits for room, which bounds the look-ahead.
 * After a task has failed nothing new starts, and `submit` and `drain` reject with its error.
 */
export interface OrderedSchedulerOptions {
  readonly concurrency: number;
  /** Tasks admitted and not finished, at most; at least `concurrency` to make use of it. */
  readonly window: number;
}

interface Entry<K> {
  readonly keys: readonly K[];
  readonly run: () => Promise<void>;
  /** Lines in which this task is not first. */
  behind: number;
}

export class OrderedScheduler<K> {
  private readonly lines = new Map<K, Entry<K>[]>();
  private readonly ready: Entry<K>[] = [];
  private readonly waiters: { resolve(): void; reject(error: unknown): void; below: number }[] = [];
  private running = 0;
  private admitted = 0;
  private failure: { readonly error: unknown } | undefined;

  constructor(private readonly options: OrderedSchedulerOptions) {}

  /** True while a task that names the key has not finished. */
  isHeld(key: K): boolean {
    return this.lines.has(key);
  }

  /** Admits a task. Resolves when there is room for the next one, not when this one has finished. */
  async submit(keys: Iterable<K>, run: () => Promise<void>): Promise<void> {
    if (this.failure) throw this.failure.error;
    const entry: Entry<K> = { keys: [...new Set(keys)], run, behind: 0 };
    this.admitted += 1;
    for (const key of entry.keys) {
      const line = this.lines.get(key);
      if (line) {
        line.push(entry);
        entry.behind += 1;
      } else {
        this.lines.set(key, [entry]);
      }
    }
    if (entry.behind === 0) this.ready.push(entry);
    this.startReady();
    await this.until(this.options.window);
  }

  /** Resolves when everything admitted has finished. */
  drain(): Promise<void> {
    return this.until(1);
  }

  private startReady(): void {
    while (!this.failure && this.running < this.options.concurrency && this.ready.length > 0) {
      const entry = this.ready.shift()!;
      this.running += 1;
      entry.run().then(
        () => this.finish(entry),
        (error: unknown) => this.fail(error),
      );
    }
  }

  private finish(entry: Entry<K>): void {
    this.running -= 1;
    this.admitted -= 1;
    for (const key of entry.keys) this.leave(key);
    this.startReady();
    this.wake();
  }

  private leave(key: K): void {
    const line = this.lines.get(key)!;
    line.shift();
    const [next] = line;
    if (!next) {
      this.lines.delete(key);
      return;
    }
    next.behind -= 1;
    if (next.behind === 0) this.ready.push(next);
  }

  private fail(error: unknown): void {
    this.running -= 1;
    this.failure ??= { error };
    this.wake();
  }

  private until(below: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiters.push({ resolve, reject, below });
      this.wake();
    });
  }

  private wake(): void {
    for (const waiter of this.waiters.splice(0)) {
      if (this.failure) waiter.reject(this.failure.error);
      else if (this.admitted < waiter.below) waiter.resolve();
      else this.waiters.push(waiter);
    }
  }
}
