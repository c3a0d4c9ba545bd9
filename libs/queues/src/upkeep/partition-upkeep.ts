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
      'USAGE_RETENTION_MONTHS' | 'AUDIT_RETENTION_MONTHS' | 'OUTBOX_RETENTION_DAYS'
    >,
  ) {}

  async maintain(): Promise<void> {
    const made = await this.partitions.maintain(MONTHS_AHEAD);
    if (made > 0) this.logger.log(`Made ${made} partitions.`);
  }

  /** Drops month after month, each in a transaction of its own, which locks its table for a moment only. */
  async retire(): Promise<void> {
    await this.retireFrom('tenant_usage', `${this.config.USAGE_RETENTION_MONTHS} months`);
    await this.retireFrom('audit_log', `${this.config.AUDIT_RETENTION_MONTHS} months`);
    await this.retireFrom('outbox', `${this.config.OUTBOX_RETENTION_DAYS} days`);
  }

  private async retireFrom(table: RetiringTable, kept: string): Promise<void> {
    for (;;) {
      const dropped = await this.partitions.retire(table, kept);
      if (dropped === null) return;
      this.logger.log(`Dropped ${dropped}, which ended longer than ${kept} ago.`);
    }
  }
}
