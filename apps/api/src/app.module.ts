/** Composes the api process: platform modules, guards in their order, and the HTTP side of each domain. */
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { BULK_JOBS } from '#libs/bulk';
import { CacheModule } from '#libs/cache';
import { type AppConfig, ConfigModule } from '#libs/config';
import { CONNECTION_JOBS } from '#libs/connections';
import { CoordinationModule } from '#libs/coordination';
import { DatabaseModule } from '#libs/database';
import { HealthModule } from '#libs/health';
import { IdempotencyModule } from '#libs/idempotency';
import { IDENTITY_ENTITIES } from '#libs/identity';
import { INVENTORY_JOBS } from '#libs/inventory';
import { MessagingModule } from '#libs/messaging';
import { ObservabilityModule } from '#libs/observability';
import { QueuesModule } from '#libs/queues';
import { RedisModule } from '#libs/redis';
import { REPORT_JOBS } from '#libs/reports';
import { StorageModule } from '#libs/storage';
import { TenancyModule } from '#libs/tenancy';
import { AdmissionGuard, RateLimitGuard, ThrottlingModule } from '#libs/throttling';
import { UsageModule } from '#libs/usage';
import { MIGRATIONS } from '#migrations';
import { AccessModule } from './access/access.module';
import { AuthenticationGuard } from './access/authentication.guard';
import { PermissionGuard } from './access/permission.guard';
import { AdminHttpModule } from './admin/admin-http.module';
import { ApiKeysHttpModule } from './api-keys/api-keys-http.module';
import { AuditHttpModule } from './audit/audit-http.module';
import { AuthHttpModule } from './auth/auth-http.module';
import { BulkHttpModule } from './bulk/bulk-http.module';
import { CacheHttpModule } from './cache/cache-http.module';
import { CatalogHttpModule } from './catalog/catalog-http.module';
import { ConnectionsHttpModule } from './connections/connections-http.module';
import { CostsHttpModule } from './costs/costs-http.module';
import { DeadLettersHttpModule } from './dead-letters/dead-letters-http.module';
import { FilesHttpModule } from './files/files-http.module';
import { HealthHttpModule } from './health/health-http.module';
import { InventoryHttpModule } from './inventory/inventory-http.module';
import { JobsHttpModule } from './jobs/jobs-http.module';
import { OrdersHttpModule } from './orders/orders-http.module';
import { OrganizationHttpModule } from './organization/organization-http.module';
import { ReportsHttpModule } from './reports/reports-http.module';
import { SchedulesHttpModule } from './schedules/schedules-http.module';
import { UsageHttpModule } from './usage/usage-http.module';
import { UsersHttpModule } from './users/users-http.module';

@Module({})
export class AppModule {
  static forRoot(config: AppConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        TenancyModule,
        ObservabilityModule.forRoot({ config, process: 'api' }),
        DatabaseModule.forRoot({
          config,
          applicationName: 'stockyard-api',
          entities: IDENTITY_ENTITIES,
          migrations: MIGRATIONS,
        }),
        RedisModule.forRoot(config),
        CoordinationModule,
        MessagingModule.forRoot(config),
        CacheModule,
        UsageModule.forRoot({ countApiCalls: true }),
        StorageModule,
        HealthModule,
        ThrottlingModule,
        IdempotencyModule,
        QueuesModule.forRoot({ jobs: [...BULK_JOBS, ...INVENTORY_JOBS, ...REPORT_JOBS, ...CONNECTION_JOBS] }),
        AccessModule,
        AdminHttpModule,
        ApiKeysHttpModule,
        AuditHttpModule,
        AuthHttpModule,
        BulkHttpModule,
        CacheHttpModule,
        CatalogHttpModule,
        ConnectionsHttpModule,
        CostsHttpModule,
        DeadLettersHttpModule,
        FilesHttpModule,
        HealthHttpModule,
        InventoryHttpModule,
        JobsHttpModule,
        OrdersHttpModule,
        OrganizationHttpModule,
        ReportsHttpModule,
        SchedulesHttpModule,
        UsageHttpModule,
        UsersHttpModule,
      ],
      providers: [
        { provide: APP_GUARD, useExisting: AuthenticationGuard },
        { provide: APP_GUARD, useExisting: RateLimitGuard },
        { provide: APP_GUARD, useExisting: PermissionGuard },
        { provide: APP_GUARD, useExisting: AdmissionGuard },
      ],
    };
  }
}
