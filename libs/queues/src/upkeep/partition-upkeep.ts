/** Upkeep of partitions: months ahead of time, and the end of those that have served. */
import { Inject, Injectable, Logger } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { PartitionRepository, type RetiringTable } from './partition.repository';

const MONTHS_AHEAD = 3;

@Injectable()
export class PartitionUpkeep {
  private readonly logger = new Logger('Partitions');

  constructor(
    private readonly partitions: PartitionRepository,
    @Inject(APP_CONFIG)
    private readonly config: Pick<
      AppConfig,
      'METRICS_MINUTES_DAYS' | 'USAGE_RETENTION_MONTHS' | 'AUDIT_RETENTION_MONTHS' | 'OUTBOX_RETENTION_DAYS'
    >,
  ) {}

  /** Never rejects: a shard that is away is told of, and comes up again with the next round. */
  async run(): Promise<void> {
    for (const shard of this.partitions.shardNames()) {
      try {
        await this.maintain(shard);
        await this.retire(shard);
      } catch (error) {
        this.logger.warn({ shard, err: error }, 'Upkeep of partitions failed; it will be tried again');
      }
    }
  }

  private async maintain(shard: string): Promise<void> {
    const made = await this.partitions.maintain(shard, MONTHS_AHEAD);
    if (made > 0) this.logger.log(`Made ${made} partitions on the shard ${shard}.`);
  }

  /** Drops one after another, each in a transaction of its own, which locks its table for a moment only. */
  private async retire(shard: string): Promise<void> {
    const { METRICS_MINUTES_DAYS, USAGE_RETENTION_MONTHS, AUDIT_RETENTION_MONTHS, OUTBOX_RETENTION_DAYS } = this.config;
    await this.retireFrom(shard, 'tenant_minutes', `${METRICS_MINUTES_DAYS} days`);
    await this.retireFrom(shard, 'tenant_hours', `${USAGE_RETENTION_MONTHS} months`);
    await this.retireFrom(shard, 'tenant_usage', `${USAGE_RETENTION_MONTHS} months`);
    await this.retireFrom(shard, 'audit_log', `${AUDIT_RETENTION_MONTHS} months`);
    await this.retireFrom(shard, 'outbox', `${OUTBOX_RETENTION_DAYS} days`);
  }

  private async retireFrom(shard: string, table: RetiringTable, kept: string): Promise<void> {
    for (;;) {
      const dropped = await this.partitions.retire(shard, table, kept);
      if (dropped === null) return;
      this.logger.log(`Dropped ${dropped} of the shard ${shard}, which ended longer than ${kept} ago.`);
    }
  }
}
