/** Answers what the other processes ask over the Redis transport. Reads only: every replica is asked the same. */
import { Controller } from '@nestjs/common';
import { OnQuestion, type Questions } from '#libs/messaging';
import { seriesPeriod, usagePeriod, UsageReader } from '#libs/usage';
import { ClusterService } from './cluster/cluster.service';

@Controller()
export class QuestionsController {
  constructor(
    private readonly usage: UsageReader,
    private readonly cluster: ClusterService,
  ) {}

  @OnQuestion('usage.summary')
  async usageSummary(asked: Questions['usage.summary']['asks']): Promise<Questions['usage.summary']['answers']> {
    return { ...asked, metrics: await this.usage.totals(asked.organization_id, usagePeriod(asked)) };
  }

  @OnQuestion('usage.series')
  async usageSeries(asked: Questions['usage.series']['asks']): Promise<Questions['usage.series']['answers']> {
    const { granularity, by_route: byRoute, after, limit } = asked;
    const query = { granularity, byRoute, limit, ...seriesPeriod(granularity, asked) };
    const last = after && { periodStart: new Date(after.period_start), activity: after.activity };
    return { points: await this.usage.series(asked.organization_id, { ...query, ...(last && { after: last }) }) };
  }

  @OnQuestion('cluster.snapshot')
  clusterSnapshot(): Promise<Questions['cluster.snapshot']['answers']> {
    return this.cluster.snapshot();
  }
}
