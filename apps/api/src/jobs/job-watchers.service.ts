/** Who watches jobs in this process: hands hints on to them, bounds their number, and ends them when the process goes. */
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { StockyardError } from '#libs/kernel';
import { JobWatch } from './job-watch';

const RETRY_SECONDS = 10;

@Injectable()
export class JobWatchers implements OnModuleDestroy {
  private readonly byOrganization = new Map<string, Set<JobWatch>>();
  private count = 0;
  private leaving = false;

  constructor(@Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'JOB_STREAMS' | 'JOB_STREAMS_PER_TENANT'>) {}

  /** Open streams of this process. */
  get open(): number {
    return this.count;
  }

  /**
   * Call close() when it is over. Throws `too_many_streams` (429) beyond JOB_STREAMS_PER_TENANT, and `streams_unavailable` (503)
   * beyond JOB_STREAMS or while the process leaves.
   */
  watch(organizationId: string, jobId: string): JobWatch {
    const { JOB_STREAMS, JOB_STREAMS_PER_TENANT } = this.config;
    const own = this.byOrganization.get(organizationId) ?? new Set<JobWatch>();
    if (own.size >= JOB_STREAMS_PER_TENANT) throw refusal('too_many_streams', 'limited', JOB_STREAMS_PER_TENANT);
    if (this.leaving || this.count >= JOB_STREAMS) throw refusal('streams_unavailable', 'unavailable', JOB_STREAMS);
    const watch = new JobWatch(organizationId, jobId);
    this.byOrganization.set(organizationId, own.add(watch));
    this.count += 1;
    return watch;
  }

  /** May be called again. */
  close(watch: JobWatch): void {
    watch.end();
    const own = this.byOrganization.get(watch.organizationId);
    if (!own?.delete(watch)) return;
    this.count -= 1;
    if (own.size === 0) this.byOrganization.delete(watch.organizationId);
  }

  /** A job moved on; without one, something changed that concerns all of the organization's streams. */
  hint(organizationId: string, jobId?: string): void {
    for (const watch of this.byOrganization.get(organizationId) ?? []) {
      if (jobId === undefined || watch.jobId === jobId) watch.hint();
    }
  }

  /** Before requests under way are waited for: a stream would not end by itself. */
  onModuleDestroy(): void {
    this.leaving = true;
    for (const own of this.byOrganization.values()) for (const watch of own) watch.end();
  }
}

function refusal(code: string, category: 'limited' | 'unavailable', maximum: number): StockyardError {
  return new StockyardError({
    code,
    category,
    message: 'As many event streams as this process takes are open; close one, or read the job instead.',
    details: category === 'limited' ? { maximum } : undefined,
    retryAfterSeconds: RETRY_SECONDS,
  });
}
