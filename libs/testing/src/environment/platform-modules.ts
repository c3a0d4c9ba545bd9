/** The platform's global modules as the processes compose them, for specs of domain services that need no HTTP. */
import { type DynamicModule, Global, Module, type Type } from '@nestjs/common';
import { CacheModule } from '#libs/cache';
import { type AppConfig, ConfigModule } from '#libs/config';
import { CoordinationModule } from '#libs/coordination';
import { DatabaseModule } from '#libs/database';
import { IdempotencyModule } from '#libs/idempotency';
import { MessagingModule } from '#libs/messaging';
import { MetricsRegistry } from '#libs/observability';
import { RedisModule } from '#libs/redis';
import { TenancyModule } from '#libs/tenancy';
import type { DataSourceOptions } from 'typeorm';

@Global()
@Module({ providers: [MetricsRegistry], exports: [MetricsRegistry] })
class MetricsForSpecs {}

export function platformModules(
  config: AppConfig,
  entities: DataSourceOptions['entities'] = [],
): (DynamicModule | Type)[] {
  return [
    ConfigModule.forRoot(config),
    TenancyModule,
    MetricsForSpecs,
    DatabaseModule.forRoot({ config, applicationName: 'spec', entities }),
    RedisModule.forRoot(config),
    CoordinationModule,
    MessagingModule.forRoot(config),
    CacheModule,
    IdempotencyModule,
  ];
}
