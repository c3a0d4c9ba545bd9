/** The reference: BullMQ as it is, with the same options for each job and for the client. First come, first served. */
import { Queue, Worker } from 'bullmq';
import { CONCURRENCY, Line, type SomeJob } from './line';

/** Adding fails instead of hanging, on both sides. */
const ADD_TIMEOUT_MS = 5_000;

const OPTIONS = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 2_000, jitter: 0.2 },
  removeOnComplete: { age: 3_600, count: 100 },
  removeOnFail: { age: 86_400 },
};

export class PlainLine extends Line {
  constructor(url: string) {
    const prefix = 'bench-{plain}';
    super(
      new Queue('plain', { connection: { url, commandTimeout: ADD_TIMEOUT_MS }, prefix }),
      new Worker('plain', () => Promise.resolve('completed'), {
        connection: { url },
        prefix,
        concurrency: CONCURRENCY,
      }),
    );
  }

  protected addBatch(jobs: readonly SomeJob[]): Promise<unknown> {
    return this.queue.addBulk(
      jobs.map(({ id, organizationId }) => ({
        name: 'bench.nothing',
        data: { job_id: id, organization_id: organizationId, type: 'bench.nothing', version: 1 },
        opts: { ...OPTIONS, jobId: `job-${id}` },
      })),
    );
  }
}
