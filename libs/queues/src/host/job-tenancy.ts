/** Whose job it is: restores the tenant context, and says whether the organization takes writes at the moment. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig, HOME_SHARD } from '#libs/config';
import { messagingSecret, StockyardError } from '#libs/kernel';
import {
  ConsistencyScope,
  ConsistencyTokens,
  Directory,
  organizationSuspended,
  TenantContextHolder,
} from '#libs/tenancy';
import type { JobReference } from '../jobs/job';
import type { JobSeat } from '../pace/job-pace.service';
import { JobRegistry } from '../registry/job-registry';

const SUSPENDED_RETRY_SECONDS = 60;

@Injectable()
export class JobTenancy {
  private readonly tokens: ConsistencyTokens;

  constructor(
    private readonly directory: Directory,
    private readonly tenant: TenantContextHolder,
    private readonly registry: JobRegistry,
    @Inject(APP_CONFIG) config: Pick<AppConfig, 'MESSAGING_SECRET' | 'MESSAGING_SECRET_BEFORE'>,
  ) {
    this.tokens = new ConsistencyTokens(messagingSecret(config));
  }

  /** Runs work as the job's tenant. Throws `organization_unknown` for an id that the directory does not have. */
  async enter<T>(reference: JobReference, work: () => Promise<T>): Promise<T> {
    const organization = await this.directory.find(reference.organization_id);
    if (!organization) {
      throw new StockyardError({
        code: 'organization_unknown',
        category: 'unprocessable',
        message: 'The queue names an organization that is not in the directory.',
      });
    }
    const { permissions = [] } = this.registry.find(reference.type) ?? {};
    const context = {
      organizationId: organization.id,
      actor: { type: 'job', id: reference.job_id },
      permissions: new Set(permissions),
      requestId: reference.job_id,
      consistency: this.scope(reference),
    } as const;
    return this.tenant.run(context, work);
  }

  /** Where the current tenant is, and what it weighs there. */
  async seat(): Promise<JobSeat> {
    const { organizationId: tenant } = this.tenant.current();
    const entry = await this.directory.find(tenant);
    return { tenant, shard: entry?.shard ?? HOME_SHARD, weight: entry?.limits.schedulingWeight ?? 1 };
  }

  /** What caused the job, it must be shown. A token that does not open proves nothing: the job reads from primaries. */
  private scope({ organization_id, consistency }: JobReference): ConsistencyScope {
    if (consistency === undefined) return new ConsistencyScope();
    try {
      return new ConsistencyScope(this.tokens.open(organization_id, consistency));
    } catch {
      return new ConsistencyScope();
    }
  }

  /** Throws `unavailable` while the organization is suspended: the job waits. One that goes away is refused. */
  async requireActive(organizationId: string): Promise<void> {
    const organization = await this.directory.find(organizationId);
    if (!organization || organization.state === 'active' || organization.state === 'moving') return;
    const refusal = organizationSuspended(organization);
    if (organization.state === 'deleting') throw refusal;
    throw new StockyardError({
      code: refusal.code,
      category: 'unavailable',
      message: refusal.message,
      retryAfterSeconds: SUSPENDED_RETRY_SECONDS,
    });
  }
}
