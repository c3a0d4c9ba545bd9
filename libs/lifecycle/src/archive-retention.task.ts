/** Archives of exports, and what interrupted operations left in the store, go when they are as old as finished jobs may be. */
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { type TenantTask, UpkeepTasks } from '#libs/queues';
import { FileStore } from '#libs/storage';
import { OPERATIONS_FOLDER } from './archive/manifest';

const DAY_MS = 86_400_000;

@Injectable()
export class ArchiveRetentionTask implements TenantTask, OnModuleInit {
  readonly name = 'archives';

  constructor(
    private readonly files: FileStore,
    private readonly tasks: UpkeepTasks,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'JOB_RETENTION_DAYS'>,
  ) {}

  onModuleInit(): void {
    this.tasks.add(this);
  }

  async run(): Promise<void> {
    const oldest = Date.now() - this.config.JOB_RETENTION_DAYS * DAY_MS;
    for await (const { key, modifiedAt } of this.files.list()) {
      if (key.startsWith(`${OPERATIONS_FOLDER}/`) && modifiedAt.getTime() < oldest) await this.files.delete(key);
    }
  }
}
