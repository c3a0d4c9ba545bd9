/** The subject: the platform's producer and its turns around BullMQ's worker, without the tables behind them. */
import { getQueueToken } from '@nestjs/bullmq';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type AppConfig, ConfigModule } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { closed, shape } from '#libs/kernel';
import { MessagingModule } from '#libs/messaging';
import {
  defineJob,
  JobProducer,
  JobTurns,
  queuePrefix,
  QueuePulse,
  QueuesModule,
  QueueWorkerModule,
} from '#libs/queues';
import { RedisModule } from '#libs/redis';
import { TenancyModule } from '#libs/tenancy';
import { UsageModule } from '#libs/usage';
import { type Queue, Worker } from 'bullmq';
import { CONCURRENCY, Line, type SomeJob } from './line';

const CLASS = 'critical';
const NOTHING = defineJob({ type: 'bench.nothing', class: CLASS, version: 1, payload: shape(closed({})) });

@Module({})
class BenchModule {}

export class FairLine extends Line {
  private constructor(
    private readonly app: INestApplicationContext,
    private readonly producer: JobProducer,
    queue: Queue,
    worker: Worker,
  ) {
    super(queue, worker);
  }

  static async open(config: AppConfig): Promise<FairLine> {
    const imports = [
      ConfigModule.forRoot(config),
      TenancyModule,
      DatabaseModule.forRoot({ config, applicationName: 'stockyard-bench' }),
      RedisModule.forRoot(config),
      MessagingModule.forRoot(config),
      UsageModule.forRoot(),
      QueuesModule.forRoot({ jobs: [NOTHING] }),
      QueueWorkerModule.forRoot(config),
    ];
    const app = await NestFactory.createApplicationContext({ module: BenchModule, imports }, { logger: false });
    const turns = app.get(JobTurns);
    const worker = new Worker(
      CLASS,
      async (job, token) => {
        const turn = await turns.take(job, token);
        await turn.end();
        return 'completed';
      },
      { connection: { url: config.REDIS_URL }, prefix: queuePrefix(config, CLASS), concurrency: CONCURRENCY },
    );
    await app.get(QueuePulse).start();
    return new FairLine(app, app.get(JobProducer), app.get<Queue>(getQueueToken(CLASS), { strict: false }), worker);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.worker.close();
    await this.app.get(QueuePulse).stop();
    await this.app.close();
  }

  protected addBatch(jobs: readonly SomeJob[]): Promise<void> {
    return this.producer.add(
      jobs.map(({ id, organizationId }) => ({
        ...{ class: CLASS, name: NOTHING.type, jobId: `job-${id}`, organizationId },
        ...{ cost: NOTHING.cost, attempts: NOTHING.attempts, backoffMs: NOTHING.backoffMs },
        data: { job_id: id, organization_id: organizationId, type: NOTHING.type, version: NOTHING.version },
      })),
    );
  }
}
