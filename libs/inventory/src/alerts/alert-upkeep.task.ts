/** Deletes alerts that were resolved long ago, and makes a job for crossings whose own has failed or was cancelled. */
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { TenantDatabase } from '#libs/database';
import { type TenantTask, UpkeepTasks } from '#libs/queues';
import { deleteOldAlerts, requeueForgotten } from './stock-alert.statements';

const BATCH = 1_000;

@Injectable()
export class AlertUpkeep implements TenantTask, OnModuleInit {
  readonly name = 'stock alerts';

  constructor(
    private readonly database: TenantDatabase,
    private readonly tasks: UpkeepTasks,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'STOCK_ALERT_RETENTION_DAYS'>,
  ) {}

  onModuleInit(): void {
    this.tasks.add(this);
  }

  async run(): Promise<void> {
    await this.database.statement(requeueForgotten());
    for (let deleted = BATCH; deleted >= BATCH;) {
      const [result] = await this.database.batch([deleteOldAlerts(this.config.STOCK_ALERT_RETENTION_DAYS, BATCH)]);
      deleted = result?.rowCount ?? 0;
    }
  }
}
