/** A look at a job by whoever watches it: may the caller still see it, and how does it stand? Holds nothing between looks. */
import { Injectable } from '@nestjs/common';
import { CallerService, permissionDenied, type Permission } from '#libs/identity';
import { type Job, JobRepository, type LogLine } from '#libs/queues';
import { ConsistencyScope, organizationSuspended, TenantContextHolder } from '#libs/tenancy';

const LINES_AT_ONCE = 200;
const PERMISSION: Permission = 'jobs:read';

export interface Watcher {
  readonly credential: string;
  readonly jobId: string;
  readonly requestId: string;
}

export interface JobLook {
  readonly job: Job;
  /** Its log after the line that was asked for; not all of it, where there is much. */
  readonly lines: readonly LogLine[];
}

@Injectable()
export class JobReader {
  constructor(
    private readonly callers: CallerService,
    private readonly tenant: TenantContextHolder,
    private readonly jobs: JobRepository,
  ) {}

  /**
   * The job as it stands on the primary, and its log after a line (null: none of it); undefined where it is gone. Throws as
   * authentication does when the credential no longer counts, and `organization_not_active` for an organization that is
   * suspended or goes away.
   */
  async look({ credential, jobId, requestId }: Watcher, afterLine: number | null): Promise<JobLook | undefined> {
    const { organization, actor, permissions } = await this.callers.identify(credential);
    if (organization.state !== 'active' && organization.state !== 'moving') throw organizationSuspended(organization);
    if (!permissions.has(PERMISSION)) throw permissionDenied(PERMISSION);
    const context = { organizationId: organization.id, actor, permissions, requestId };
    return this.tenant.run({ ...context, consistency: new ConsistencyScope() }, async () => {
      const job = await this.jobs.findNow(jobId);
      if (!job) return undefined;
      const hasMore = afterLine !== null && job.log_lines > afterLine;
      return { job, lines: hasMore ? await this.jobs.logLinesNow(jobId, afterLine, LINES_AT_ONCE) : [] };
    });
  }
}
