/** Composes the worker process: relay, processors, upkeep, and the handlers of each library that has jobs. */
import { type DynamicModule, Module } from '@nestjs/common';
import { BULK_JOBS, BulkWorkerModule } from '#libs/bulk';
import { CacheModule } from '#libs/cache';
import { type AppConfig, ConfigModule } from '#libs/config';
import { CONNECTION_JOBS, ConnectionsWorkerModule } from '#libs/connections';
import { CoordinationModule } from '#libs/coordination';
import { DatabaseModule } from '#libs/database';
import { HealthModule } from '#libs/health';
import { INVENTORY_JOBS, InventoryWorkerModule } from '#libs/inventory';
import { LifecycleWorkerModule } from '#libs/lifecycle';
import { MessagingModule } from '#libs/messaging';
import { ObservabilityModule } from '#libs/observability';
import { OrganizationsWorkerModule } from '#libs/organizations';
import { QueuesModule, QueueWorkerModule } from '#libs/queues';
import { RedisModule } from '#libs/redis';
import { REPORT_JOBS, ReportsWorkerModule } from '#libs/reports';
import { SchedulesWorkerModule } from '#libs/schedules';
import { StorageModule } from '#libs/storage';
import { TenancyModule } from '#libs/tenancy';
import { UsageModule } from '#libs/usage';
import { MIGRATIONS } from '#migrations';
import { OperationListener } from './operation.listener';
import { OutboxListener } from './outbox.listener';

@Module({})
export class WorkerModule {
  static forRoot(config: AppConfig): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        ConfigModule.forRoot(config),
        TenancyModule,
        ObservabilityModule.forRoot({ config, process: 'worker' }),
        DatabaseModule.forRoot({ config, applicationName: 'stockyard-worker', migrations: MIGRATIONS }),
        RedisModule.forRoot(config),
        CoordinationModule,
        MessagingModule.forRoot(config),
        CacheModule,
        StorageModule,
        UsageModule.forRoot(),
        HealthModule,
        QueuesModule.forRoot({ jobs: [...BULK_JOBS, ...INVENTORY_JOBS, ...REPORT_JOBS, ...CONNECTION_JOBS] }),
        QueueWorkerModule.forRoot(config),
        BulkWorkerModule,
        InventoryWorkerModule,
        ConnectionsWorkerModule,
        ReportsWorkerModule,
        OrganizationsWorkerModule,
        LifecycleWorkerModule,
        SchedulesWorkerModule,
      ],
      controllers: [OutboxListener, OperationListener],
    };
  }
}
