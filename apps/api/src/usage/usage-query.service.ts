/** Asks the metrics process for the usage of the current tenant. */
import { Injectable } from '@nestjs/common';
import { type ShapeType, StockyardError } from '#libs/kernel';
import { PlatformQuestions } from '#libs/messaging';
import { TenantContextHolder } from '#libs/tenancy';
import { usagePeriod } from '#libs/usage';
import type { USAGE_QUERY } from './usage.shape';
import { UsageSeriesService } from './usage-series.service';

@Injectable()
export class UsageQueryService {
  constructor(
    private readonly tenant: TenantContextHolder,
    private readonly questions: PlatformQuestions,
    private readonly series: UsageSeriesService,
  ) {}

  /** Throws `invalid_period`, or `metrics_unavailable` (503) when the metrics process does not answer. */
  async answer(query: ShapeType<typeof USAGE_QUERY>) {
    const { granularity } = query;
    if (granularity !== undefined) {
      const ofSeries = { ...query, granularity };
      return query.format === 'csv' ? this.series.csv(ofSeries) : this.series.page(ofSeries);
    }
    const misplaced = query.group_by === 'route' || query.format === 'csv' || query.cursor !== undefined;
    if (misplaced) throw needsGranularity();
    const { from, to } = usagePeriod(query);
    return this.questions.ask('usage.summary', {
      organization_id: this.tenant.current().organizationId,
      from: from.toISOString(),
      to: to.toISOString(),
    });
  }
}

function needsGranularity(): StockyardError {
  return new StockyardError({
    code: 'missing_field',
    category: 'invalid',
    param: 'granularity',
    message: 'Routes, CSV and pages are of a series; send `granularity`.',
  });
}
