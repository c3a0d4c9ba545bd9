/** The worker's half: the queues themselves, relay, processors, upkeep. Needs QueuesModule and a relay pool beside it. */
import { BullModule } from '@nestjs/bullmq';
import {
  type DynamicModule,
  Global,
  Inject,
  Injectable,
  Logger,
  Module,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import type { AppConfig } from '#libs/config';
import { SignalReader } from '#libs/observability';
import { connectRedis, type RedisClient } from '#libs/redis';
import { PRODUCER_REDIS, queuePrefix } from './connection/queue-connection';
import { FairOrder } from './fair/fair-order';
import { classProcessors } from './host/class-processor';
import { DrainingWorker } from './host/draining-worker';
import { HandlerRegistry } from './host/handler-registry';
import { JobMetrics } from './host/job-metrics';
import { JobRunner } from './host/job-runner';
import { JobTenancy } from './host/job-tenancy';
import { JobTurns } from './host/job-turns';
import { QueueHost } from './host/queue-host.service';
import { QueuePulse } from './host/queue-pulse.service';
import { JOB_CLASSES } from './job-class';
import { JobPace } from './pace/job-pace.service';
import { TopicRegistry } from './registry/topic-registry';
import { JobProducer } from './relay/job-producer';
import { OutboxRelay } from './relay/outbox-relay';
import { OutboxRepository } from './relay/outbox.repository';
import { RelayMetrics } from './relay/relay-metrics';
import { RunningJobs } from './running/running-jobs';
import { WorkerRoll } from './running/worker-roll';
import { JobRescue } from './upkeep/job-rescue.task';
import { PartitionRepository } from './upkeep/partition.repository';
import { PartitionUpkeep } from './upkeep/partition-upkeep';
import { RetentionTask } from './upkeep/retention.task';
import { TenantJobs } from './upkeep/tenant-jobs';
import { UpkeepService } from './upkeep/upkeep.service';
import { UpkeepTasks } from './upkeep/upkeep-tasks';

function producerRedis(config: AppConfig): RedisClient {
  const logger = new Logger('QueueProducer');
  const redis = connectRedis(config.REDIS_URL, 'producer');
  redis.on('error', (error: Error) => logger.debug({ err: error }, 'Redis is away'));
  return redis;
}

@Injectable()
class ProducerCloser implements OnApplicationShutdown {
  constructor(@Inject(PRODUCER_REDIS) private readonly redis: RedisClient) {}

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }
}

@Global()
@Module({})
class QueueConnectionModule {
  static forRoot(config: AppConfig): DynamicModule {
    return {
      module: QueueConnectionModule,
      providers: [{ provide: PRODUCER_REDIS, useFactory: () => producerRedis(config) }, ProducerCloser],
      exports: [PRODUCER_REDIS],
    };
  }
}

@Global()
@Module({})
export class QueueWorkerModule {
  static forRoot(config: AppConfig): DynamicModule {
    BullModule.workerClass = DrainingWorker;
    return {
      module: QueueWorkerModule,
      imports: [
        DiscoveryModule,
        QueueConnectionModule.forRoot(config),
        BullModule.forRootAsync({
          inject: [PRODUCER_REDIS],
          extraOptions: { manualRegistration: true },
          // Ready or not: a queue whose server is away refuses at once, and the outbox keeps the row.
          useFactory: (connection: RedisClient) => ({
            connection,
            skipVersionCheck: true,
            skipWaitingForReady: true,
          }),
        }),
        BullModule.registerQueue(...JOB_CLASSES.map((name) => ({ name, prefix: queuePrefix(config, name) }))),
      ],
      providers: [
        ...[TopicRegistry, OutboxRepository, JobProducer, RelayMetrics, OutboxRelay],
        ...[FairOrder, WorkerRoll, RunningJobs, JobTurns, QueuePulse, SignalReader, JobPace],
        ...[HandlerRegistry, JobTenancy, JobRunner, JobMetrics, ...classProcessors(config), QueueHost],
        ...[UpkeepTasks, UpkeepService, PartitionRepository, PartitionUpkeep, RetentionTask, JobRescue],
        TenantJobs,
      ],
      exports: [
        ...[TopicRegistry, OutboxRelay, QueueHost, UpkeepTasks, UpkeepService, TenantJobs],
        ...[JobProducer, JobTurns, QueuePulse],
      ],
    };
  }
}
