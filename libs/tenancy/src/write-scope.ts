/**
 * The write that is under way, for whatever must not happen before it has committed. Works in the async context of the
 * transaction's function; outside of one everything has committed.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';

type Task = () => Promise<void>;

interface Write {
  /** Null once the write has ended: what it left running is outside of it. */
  tasks: Task[] | null;
}

@Injectable()
export class WriteScope {
  private readonly writes = new AsyncLocalStorage<Write>();

  /** Does the work, a transaction; then what was asked to be done after it, however it ended: a lost COMMIT may have worked. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const write: Write = { tasks: [] };
    try {
      return await this.writes.run(write, work);
    } finally {
      const tasks = write.tasks!;
      write.tasks = null;
      for (const task of tasks) await task();
    }
  }

  /** Does the task at once, or inside a write when that has ended; then it resolves before. The task must not reject. */
  after(task: Task): Promise<void> {
    const tasks = this.writes.getStore()?.tasks;
    if (!tasks) return task();
    tasks.push(task);
    return Promise.resolve();
  }
}
