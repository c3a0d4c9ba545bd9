/** After a change of the platform's secret: seals anew what the former one had sealed, so that it can be forgotten. */
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { StockyardError } from '#libs/kernel';
import { type TenantTask, UpkeepTasks } from '#libs/queues';
import { ConnectionRepository } from '../connection.repository';
import { SealedCredentials } from './sealed-credentials.service';

const BATCH = 50;
const FIRST = '00000000-0000-0000-0000-000000000000';

@Injectable()
export class ResealTask implements TenantTask, OnModuleInit {
  readonly name = 'secrets of connections';
  private readonly logger = new Logger('Connections');

  constructor(
    private readonly connections: ConnectionRepository,
    private readonly sealed: SealedCredentials,
    private readonly tasks: UpkeepTasks,
  ) {}

  onModuleInit(): void {
    this.tasks.add(this);
  }

  async run(): Promise<void> {
    for (let after = FIRST; ;) {
      const rows = await this.connections.sealedBefore(this.sealed.keyId, after, BATCH);
      for (const { id, credentials } of rows) await this.reseal(id, credentials);
      if (rows.length < BATCH) return;
      after = rows[rows.length - 1]!.id;
    }
  }

  private async reseal(id: string, credentials: string): Promise<void> {
    try {
      const opened = this.sealed.open(id, credentials);
      await this.connections.reseal(id, credentials, this.sealed.seal(id, opened));
    } catch (error) {
      if (!(error instanceof StockyardError) || error.code !== 'secret_unreadable') throw error;
      this.logger.warn(
        { connection_id: id },
        'The secrets of a connection cannot be read; its tenant has to enter them again',
      );
    }
  }
}
