/** The report of a job as a CSV stream; memory does not grow with its length. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Readable } from 'node:stream';
import { Injectable, StreamableFile } from '@nestjs/common';
import { type Job, type JobLineError, JobService } from '#libs/queues';
import { stringify } from 'csv-stringify/sync';

const COLUMNS = ['line', 'code', 'field', 'message'] as const;
const LINES_AT_ONCE = 200;

const text = (rows: readonly (readonly unknown[])[]): Buffer => Buffer.from(stringify([...rows]));

/** `failed` are all lines that were left out: a last row says how many of them are not listed. */
async function* report(errors: AsyncIterable<JobLineError>, failed: number): AsyncGenerator<Buffer> {
  let rows: unknown[][] = [[...COLUMNS]];
  let listed = 0;
  for await (const error of errors) {
    listed += 1;
    rows.push(COLUMNS.map((column) => error[column]));
    if (rows.length < LINES_AT_ONCE) continue;
    yield text(rows);
    rows = [];
  }
  if (failed > listed)
    rows.push(['', 'not_listed', '', `${failed - listed} more lines were left out and are not listed.`]);
  if (rows.length > 0) yield text(rows);
}

/**
 * The same generator, run in the tenant context of this call: the reply asks for more from events of its socket, which
 * have no context.
 */
function inThisContext<T>(generator: AsyncGenerator<T>): AsyncIterable<T> {
  const here = AsyncLocalStorage.snapshot();
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => here(() => generator.next()),
      return: () => here(() => generator.return(undefined)),
    }),
  };
}

@Injectable()
export class JobReportService {
  constructor(private readonly jobs: JobService) {}

  async open(id: string): Promise<StreamableFile> {
    const job: Job = await this.jobs.get(id);
    return new StreamableFile(Readable.from(inThisContext(report(this.jobs.lineErrors(job.id), job.failed))), {
      type: 'text/csv; charset=utf-8',
      disposition: `attachment; filename="${job.type.replace(/[^\w.-]/g, '_')}-${job.id}-report.csv"`,
    });
  }
}
