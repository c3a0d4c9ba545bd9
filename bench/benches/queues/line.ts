/** What both sides of the comparisons are: a queue that jobs are added to, and a worker that does nothing with each. */
import type { Job, Queue, Worker } from 'bullmq';

/** Jobs that run at once; also that many are on their way between worker and Redis. */
export const CONCURRENCY = 10;
/** Jobs added with one call. */
const BATCH = 200;

export interface SomeJob {
  readonly id: string;
  readonly organizationId: string;
}

export abstract class Line implements AsyncDisposable {
  private done = 0;
  private isLast: (id: string) => boolean = () => false;
  private reached: () => void = () => undefined;

  protected constructor(
    protected readonly queue: Queue,
    protected readonly worker: Worker,
  ) {
    worker.on('completed', (job: Job) => {
      this.done += 1;
      if (this.isLast(job.id!)) this.reached();
    });
    worker.on('error', () => undefined);
  }

  protected abstract addBatch(jobs: readonly SomeJob[]): Promise<unknown>;

  async add(jobs: readonly SomeJob[]): Promise<void> {
    for (let from = 0; from < jobs.length; from += BATCH) await this.addBatch(jobs.slice(from, from + BATCH));
  }

  /** Nothing is begun until release(). */
  async hold(): Promise<void> {
    await this.worker.pause();
  }

  release(): Promise<void> {
    return Promise.resolve(this.worker.resume());
  }

  /** Does `begin`, and resolves with the number of jobs that were done from then on when `isLast` says so of one. */
  async doneUntil(isLast: (id: string) => boolean, begin: () => Promise<void>): Promise<number> {
    this.done = 0;
    const reached = new Promise<number>((resolve) => (this.reached = () => resolve(this.done)));
    this.isLast = isLast;
    await begin();
    return reached;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker.close();
    await this.queue.obliterate({ force: true });
    await this.queue.close();
  }
}
