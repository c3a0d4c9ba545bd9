/** Deletes finished jobs and their files once they are older than the retention, and what broken uploads left behind. */
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { type Job, JobRegistry, JobRepository, type TenantTask, UpkeepTasks } from '#libs/queues';
import { FileStore } from '#libs/storage';
import { BULK_IMPORT, importKey } from './bulk.jobs';

const BATCH = 200;
const ABANDONED_MS = 24 * 3_600_000;

@Injectable()
export class FileRetentionTask implements TenantTask, OnModuleInit {
  readonly name = 'job retention';

  constructor(
    private readonly jobs: JobRepository,
    private readonly registry: JobRegistry,
    private readonly files: FileStore,
    private readonly tasks: UpkeepTasks,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'JOB_RETENTION_DAYS'>,
  ) {}

  onModuleInit(): void {
    this.tasks.add(this);
  }

  async run(): Promise<void> {
    await this.files.removeAbandoned(ABANDONED_MS);
    for (let page: Job[] = []; ;) {
      page = await this.jobs.finished(this.config.JOB_RETENTION_DAYS, BATCH);
      for (const job of page) await this.deleteFile(job); // before the row: a crash between leaves the row to try again
      if (page.length > 0) await this.jobs.delete(page.map((job) => job.id));
      if (page.length < BATCH) return;
    }
  }

  /** By the row alone: a job that was cancelled or failed may have left a file too. */
  private async deleteFile({ id, type, payload }: Job): Promise<void> {
    const written = this.registry.find(type)?.file?.(id, payload.data);
    if (written) await this.files.delete(written.key);
    if (type === BULK_IMPORT.type) await this.files.delete(importKey(id));
  }
}
