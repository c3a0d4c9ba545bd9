/**
 * Opens event streams of jobs, and sees that none is left behind: by its client, by its age, or by a drain. A client that stops
 * reading loses its connection, and with it the stream (libs/http).
 */
import type { Readable } from 'node:stream';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { notFound } from '#libs/database';
import { eventStream, type StreamWatch } from '#libs/http';
import { StockyardError } from '#libs/kernel';
import { isFinal } from '#libs/queues';
import { TenantContextHolder } from '#libs/tenancy';
import { JobEventStream, positionOf } from './job-event-stream';
import { type JobLook, JobReader, type Watcher } from './job-reader.service';
import { JobWatchers } from './job-watchers.service';

export interface StreamRequest {
  readonly credential: string;
  readonly jobId: string;
  readonly lastEventId: string | undefined;
}

@Injectable()
export class JobEventsService {
  private readonly logger = new Logger('JobEvents');

  constructor(
    private readonly watchers: JobWatchers,
    private readonly reader: JobReader,
    private readonly tenant: TenantContextHolder,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'JOB_STREAM_POLL_MS' | 'JOB_STREAM_LIFE_MS'>,
  ) {}

  /**
   * The stream; undefined when the client has seen the end already. Destroy it when the client goes. Throws `not_found`,
   * `too_many_streams` (429), `streams_unavailable` (503), `organization_not_active` (403).
   */
  async open({ credential, jobId, lastEventId }: StreamRequest): Promise<Readable | undefined> {
    const { organizationId, requestId } = this.tenant.current();
    const watcher: Watcher = { credential, jobId, requestId };
    const watch = this.watchers.watch(organizationId, jobId);
    try {
      const position = positionOf(lastEventId);
      const first = await this.reader.look(watcher, position?.line ?? null);
      if (!first) throw notFound();
      const { job } = first;
      const line = Math.min(position?.line ?? job.log_lines, job.log_lines);
      if (!position?.final || !isFinal(job.state) || line < job.log_lines)
        return this.stream(watch, watcher, first, line);
    } catch (error) {
      this.watchers.close(watch);
      throw error;
    }
    this.watchers.close(watch);
    return undefined;
  }

  private stream(watch: StreamWatch, watcher: Watcher, first: JobLook, line: number): Readable {
    const events = new JobEventStream({
      ...{ watch, first, line, pollMs: this.config.JOB_STREAM_POLL_MS },
      look: (after) => this.look(watcher, after),
    }).events();
    const closed = () => this.watchers.close(watch);
    return eventStream({ events, watch, lifeMs: this.config.JOB_STREAM_LIFE_MS, closed });
  }

  private async look(watcher: Watcher, afterLine: number): Promise<JobLook | undefined> {
    try {
      return await this.reader.look(watcher, afterLine);
    } catch (error) {
      if (!(error instanceof StockyardError) || error.category === 'internal') {
        this.logger.error({ job_id: watcher.jobId, err: error }, 'An event stream ends: its job could not be read');
      }
      throw error;
    }
  }
}
