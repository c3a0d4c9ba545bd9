/**
 * Brings back jobs whose row is open but which the queue has lost: a Redis that came back without its data, or without its
 * last second. Jobs that the queue knows are left alone; those still in the outbox get the same job id from the relay, and stay one job.
 */
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import type { Organization } from '#libs/tenancy';
import { type Job, versionOf } from '../jobs/job';
import { JobRepository } from '../jobs/job.repository';
import { JobProducer } from '../relay/job-producer';
import { type TenantTask, UpkeepTasks } from './upkeep-tasks';

const OLDER_THAN_SECONDS = 10;
const PAGE = 500;
const FIRST = '00000000-0000-0000-0000-000000000000';

@Injectable()
export class JobRescue implements TenantTask, OnModuleInit {
  readonly name = 'job rescue';
  readonly afterRestart = true;
  private readonly logger = new Logger('JobRescue');

  constructor(
    private readonly jobs: JobRepository,
    private readonly producer: JobProducer,
    private readonly tasks: UpkeepTasks,
  ) {}

  onModuleInit(): void {
    this.tasks.add(this);
  }

  async run(organization: Organization): Promise<void> {
    for (let after = FIRST; ;) {
      const page = await this.jobs.open(OLDER_THAN_SECONDS, after, PAGE);
      for (const job of page) await this.restore(organization, job);
      if (page.length < PAGE) return;
      after = page[page.length - 1]!.id;
    }
  }

  private async restore({ id: organization_id }: Organization, job: Job): Promise<void> {
    const { id, type, payload, run_at, max_attempts, round } = job;
    const message = {
      ...{ job_id: id, organization_id, type, version: versionOf(payload) },
      ...(round > 0 && { round }),
      ...(max_attempts !== null && { attempts: max_attempts }),
      ...(run_at && { run_at: run_at.toISOString() }),
    };
    const restored = await this.producer.restore(this.producer.workOf({ payload: message }));
    if (restored)
      this.logger.warn({ job_id: id, organization_id, type }, 'A job that the queue had lost is back in it');
  }
}
