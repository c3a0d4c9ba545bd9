/**
 * The events of one job as text/event-stream (HTML Standard, 9.2). Pulled by the socket: while the client does not read, nothing
 * is looked up, and what it gets next is how the job stands then; so a slow client costs one event of memory, not a queue.
 *
 * States: telling (looks, and yields what is new) → waiting (for a hint or the poll) → telling …; it is over with the job's final
 * state, with the credential, with the process, or with the client.
 */
import type { StreamWatch } from '#libs/http';
import { isFinal, type Job, type JobLogLineView, jobLogLineView, jobView } from '#libs/queues';
import { StockyardError } from '#libs/kernel';
import type { JobLook } from './job-reader.service';

/** At most four looks a second, however busy the job is. */
const LEAST_MS = 250;
/** What EventSource waits before it connects again. */
const RETRY_MS = 2_000;
const FINAL = 'end-';

/** Where a client is: the newest line of log that it has, and whether it has seen the end. */
export interface StreamPosition {
  readonly line: number;
  readonly final: boolean;
}

/** Of a Last-Event-ID; undefined for one that no stream gave. */
export function positionOf(lastEventId: string | undefined): StreamPosition | undefined {
  const match = /^(end-)?(\d{1,15})$/.exec(lastEventId ?? '');
  return match ? { line: Number(match[2]), final: match[1] !== undefined } : undefined;
}

export interface JobEventStreamOptions {
  readonly watch: StreamWatch;
  readonly first: JobLook;
  /** The newest line that the client has. */
  readonly line: number;
  readonly pollMs: number;
  /** See JobReader. */
  readonly look: (afterLine: number) => Promise<JobLook | undefined>;
}

export class JobEventStream {
  private line: number;
  private told: string | undefined;

  constructor(private readonly options: JobEventStreamOptions) {
    this.line = options.line;
  }

  async *events(): AsyncGenerator<string> {
    yield `retry: ${RETRY_MS}\n\n`;
    let look: JobLook | 'nothing' | undefined = this.options.first;
    while (look !== undefined) {
      const news = look === 'nothing' ? '' : this.newsOf(look);
      yield news === '' ? ':\n\n' : news;
      if (look !== 'nothing' && this.isOver(look.job)) return;
      const behind = look !== 'nothing' && this.line < look.job.log_lines && look.lines.length > 0;
      if (!behind && !(await this.options.watch.next(LEAST_MS, this.options.pollMs))) return;
      look = await this.next();
    }
  }

  /** undefined when there will be no more; `nothing` while that cannot be told. */
  private async next(): Promise<JobLook | 'nothing' | undefined> {
    try {
      return await this.options.look(this.line);
    } catch (error) {
      if (error instanceof StockyardError && (error.category === 'unavailable' || error.category === 'limited')) {
        return 'nothing';
      }
      return undefined; // the credential no longer counts: who connects again is told why
    }
  }

  private newsOf({ job, lines }: JobLook): string {
    const parts = lines.map((line) => this.log(jobLogLineView(line)));
    if (lines.length === 0) this.line = job.log_lines; // what there was in between has made room
    const view = JSON.stringify(jobView(job));
    if (view !== this.told) parts.push(event('job', this.isOver(job) ? `${FINAL}${this.line}` : `${this.line}`, view));
    this.told = view;
    return parts.join('');
  }

  private log(line: JobLogLineView): string {
    this.line = line.line;
    return event('log', String(line.line), JSON.stringify(line));
  }

  /** All of its log has been told, and nothing will come after it. */
  private isOver({ state, log_lines }: Job): boolean {
    return isFinal(state) && this.line >= log_lines;
  }
}

function event(name: string, id: string, data: string): string {
  return `event: ${name}\nid: ${id}\ndata: ${data}\n\n`;
}
