/** Composes the metrics process: cluster-wide numbers, answers about usage, and the dashboard. */
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { type AppConfig, ConfigModule } from '#libs/config';
import { CoordinationModule } from '#libs/coordination';
import { DatabaseModule } from '#libs/database';
import { HealthModule } from '#libs/health';
import { CredentialsModule } from '#libs/identity';
import { Clock, SystemClock } from '#libs/kernel';
import { MessagingModule } from '#libs/messaging';
import { ObservabilityModule, SignalReader } from '#libs/observability';
import { RedisModule } from '#libs/redis';
import { StorageModule } from '#libs/storage';
import { TenancyModule } from '#libs/tenancy';
import { UsageModule } from '#libs/usage';
import { MIGRATIONS } from '#migrations';
import { MetricsGuard } from './access/metrics.guard';
import { AutoscalingController } from './autoscaling/autoscaling.controller';
import { AutoscalingService } from './autoscaling/autoscaling.service';
import { BoardQueues } from './board/board-queues';
import { BreakerGauge } from './cluster/breaker-gauge';
import { ClusterController } from './cluster/cluster.controller';
import { ClusterGauges } from './cluster/cluster-gauges';
import { ClusterService } from './cluster/cluster.service';
import { DeadLetterGauges } from './cluster/dead-letter-gauges';
import { OrganizationCountsRepository } from './cluster/organization-counts.repository';
import { OutboxGauges } from './cluster/outbox-gauges';
import { PartitionGauge } from './cluster/partition-gauge';
import { PostgresGauges } from './cluster/postgres-gauges';
import { QueueDepthsRepository } from './cluster/queue-depths.repository';
import { RedisGauges } from './cluster/redis-gauges';
import { ReplicaLagRepository } from './cluster/replica-lag.repository';
import { ShardMonitors } from './cluster/shard-monitors';
import { TableGauges } from './cluster/table-gauges';
import { TenantGauges } from './cluster/tenant-gauges';
import { Collectors } from './collect/collectors.service';
import { DASHBOARD_CONTROLLERS, DASHBOARD_PROVIDERS } from './dashboard/dashboard.providers';
import { QuestionsController } from './questions.controller';

@Module({})
export class MetricsModule {
  static forRoot(config: AppConfig): DynamicModule {
    return {
      module: MetricsModule,
      imports: [
        ConfigModule.forRoot(config),
        TenancyModule,
        ObservabilityModule.forRoot({ config, process: 'metrics' }),
        DatabaseModule.forRoot({ config, applicationName: 'stockyard-metrics', migrations: MIGRATIONS }),
        RedisModule.forRoot(config),
        CoordinationModule,
        MessagingModule.forRoot(config),
        StorageModule,
        UsageModule.forRoot(),
        HealthModule,
        CredentialsModule,
      ],
      controllers: [AutoscalingController, ClusterController, QuestionsController, ...DASHBOARD_CONTROLLERS],
      providers: [
        AutoscalingService,
        BoardQueues,
        BreakerGauge,
        ClusterService,
        ClusterGauges,
        DeadLetterGauges,
        Collectors,
        OrganizationCountsRepository,
        OutboxGauges,
        PartitionGauge,
        PostgresGauges,
        QueueDepthsRepository,
        RedisGauges,
        ReplicaLagRepository,
        ShardMonitors,
        SignalReader,
        TableGauges,
        TenantGauges,
        ...DASHBOARD_PROVIDERS,
        { provide: Clock, useClass: SystemClock },
        { provide: APP_GUARD, useClass: MetricsGuard },
      ],
    };
  }
}
