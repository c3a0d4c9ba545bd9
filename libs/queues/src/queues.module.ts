/** Jobs for every process that makes or shows them; touches no queue, so an api works on while Redis is away. */
import { type DynamicModule, Global, Module } from '@nestjs/common';
import { DeadLetterOverviewService } from './dead-letters/dead-letter-overview.service';
import { DeadLetterService } from './dead-letters/dead-letter.service';
import { JobRepository } from './jobs/job.repository';
import { JobService } from './jobs/job.service';
import type { JobDefinition } from './registry/job-definition';
import { JobRegistry } from './registry/job-registry';

export interface QueuesModuleOptions {
  /** Every job type of the release; the api and the worker name the same. */
  readonly jobs: readonly JobDefinition[];
}

const SERVICES = [JobRepository, JobService, DeadLetterService, DeadLetterOverviewService];

@Global()
@Module({})
export class QueuesModule {
  static forRoot({ jobs }: QueuesModuleOptions): DynamicModule {
    return {
      module: QueuesModule,
      providers: [{ provide: JobRegistry, useValue: new JobRegistry(jobs) }, ...SERVICES],
      exports: [JobRegistry, ...SERVICES],
    };
  }
}
