/** Whose job it is: restores the tenant context, and says whether the organization takes writes at the moment. */
import { Injectable } from '@nestjs/common';
import { StockyardError } from '#libs/kernel';
import { Directory, organizationSuspended, TenantContextHolder } from '#libs/tenancy';
import type { JobReference } from '../jobs/job';
import { JobRegistry } from '../registry/job-registry';

const SUSPENDED_RETRY_SECONDS = 60;
const MOVING_RETRY_SECONDS = 5;

@Injectable()
export class JobTenancy {
  constructor(
    private readonly directory: Directory,
    private readonly tenant: TenantContextHolder,
    private readonly registry: JobRegistry,
  ) {}

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
    } as const;
    return this.tenant.run(context, work);
  }

  /** Throws `unavailable` while the organization is suspended or moving: the job waits. One that goes away is refused. */
  async requireActive(organizationId: string): Promise<void> {
    const organization = await this.directory.find(organizationId);
    if (!organization || organization.state === 'active') return;
    const refusal = organizationSuspended(organization);
    if (organization.state === 'deleting') throw refusal;
    throw new StockyardError({
      code: refusal.code,
      category: 'unavailable',
      message: refusal.message,
      retryAfterSeconds: organization.state === 'moving' ? MOVING_RETRY_SECONDS : SUSPENDED_RETRY_SECONDS,
    });
  }
}
