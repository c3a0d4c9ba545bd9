/** A worker process's modules inside a spec: real database and Redis, with the jobs and handlers the spec brings. */
import { type INestApplicationContext, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type AppConfig, ConfigModule } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { newId } from '#libs/kernel';
import { type EventPayloads, PlatformEvents } from '#libs/messaging';
import { MetricsRegistry } from '#libs/observability';
import { RedisModule } from '#libs/redis';
import { TenancyModule, TenantContextHolder } from '#libs/tenancy';
import { UsageModule } from '#libs/usage';
import type { JobOutcome } from '../src/host/job-outcome';
import { JobRunner } from '../src/host/job-runner';
import { type JobDefinition, QueueHost, QueuesModule, QueueWorkerModule } from '../src';

/** Keeps the hints instead of sending them. */
export class RecordedEvents extends PlatformEvents {
  readonly progress: EventPayloads['job.progress'][] = [];
  onOutbox: () => void = () => undefined;

  override publish(name: string, payload: object): void {
    if (name === 'job.progress') this.progress.push(payload as EventPayloads['job.progress']);
    if (name === 'outbox.ready') this.onOutbox();
  }
}

export interface WorkerOptions {
  readonly config: AppConfig;
  readonly jobs: readonly JobDefinition[];
  readonly handlers: readonly Type[];
  readonly imports?: readonly Type[];
}

export interface WorkerUnderTest {
  readonly app: INestApplicationContext;
  readonly events: RecordedEvents;
  start(): void;
  /** One run of a job, past the queue: its first attempt. */
  deliver(reference: object): Promise<JobOutcome>;
  asTenant<T>(organizationId: string, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export async function workerUnderTest({
  config,
  jobs,
  handlers,
  imports = [],
}: WorkerOptions): Promise<WorkerUnderTest> {
  const events = new RecordedEvents();

  @Module({})
  class PlatformForSpecs {}

  @Module({
    imports: [
      ConfigModule.forRoot(config),
      TenancyModule,
      DatabaseModule.forRoot({ config, applicationName: 'worker-under-test' }),
      RedisModule.forRoot(config),
      UsageModule.forRoot(),
      {
        module: PlatformForSpecs,
        global: true,
        providers: [MetricsRegistry, { provide: PlatformEvents, useValue: events }],
        exports: [MetricsRegistry, PlatformEvents],
      },
      QueuesModule.forRoot({ jobs }),
      QueueWorkerModule.forRoot(config),
      ...imports,
    ],
    providers: [...handlers],
  })
  class WorkerModule {}

  const app = await NestFactory.createApplicationContext(WorkerModule, { logger: false, abortOnError: false });
  const tenant = app.get(TenantContextHolder);
  return {
    app,
    events,
    start: () => app.get(QueueHost).start(),
    deliver: (data) => app.get(JobRunner).run({ data, attempt: 1, waits: 0, signal: new AbortController().signal }),
    asTenant: (organizationId, work) =>
      tenant.run(
        { organizationId, actor: { type: 'system', id: null }, permissions: new Set(), requestId: newId() },
        work,
      ),
    close: () => app.close(),
  };
}
