/** Asks the metrics process for the usage of the current tenant. */
import { Injectable } from '@nestjs/common';
import type { ShapeType } from '#libs/kernel';
import { PlatformQuestions, type UsageSummary } from '#libs/messaging';
import { TenantContextHolder } from '#libs/tenancy';
import { usagePeriod } from '#libs/usage';
import type { USAGE_QUERY } from './usage.shape';

@Injectable()
export class UsageQueryService {
  constructor(
    private readonly tenant: TenantContextHolder,
    private readonly questions: PlatformQuestions,
  ) {}

  /** Throws `invalid_period`, or `metrics_unavailable` (503) when the metrics process does not answer. */
  async summary(query: ShapeType<typeof USAGE_QUERY>): Promise<UsageSummary> {
    const { from, to } = usagePeriod(query);
    return this.questions.ask('usage.summary', {
      organization_id: this.tenant.current().organizationId,
      from: from.toISOString(),
      to: to.toISOString(),
    });
  }
}
