/** What is done now and then for every tenant. Libraries add their tasks; the upkeep service runs them. */
import { Injectable } from '@nestjs/common';
import type { Organization } from '#libs/tenancy';

export interface TenantTask {
  /** For the log. */
  readonly name: string;
  /** Also done soon after the queues' Redis has come back from a restart: it may have lost what it had not written down. */
  readonly afterRestart?: true;
  /** Runs in the organization's tenant context, as the system. Works in small batches; safe to run again. */
  run(organization: Organization): Promise<void>;
}

@Injectable()
export class UpkeepTasks {
  private readonly tasks: TenantTask[] = [];

  add(task: TenantTask): void {
    this.tasks.push(task);
  }

  all(): readonly TenantTask[] {
    return this.tasks;
  }
}
