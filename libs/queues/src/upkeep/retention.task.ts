/** Removes what has served: expired idempotency records, old inbox rows and writers of usage that are gone, in small batches. */
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type Statement, TenantDatabase, tenantStatement } from '#libs/database';
import { type TenantTask, UpkeepTasks } from './upkeep-tasks';

const BATCH = 1_000;
/** Longer than any message can be on its way: the outbox keeps rows until they are published, queues keep jobs a day. */
const INBOX_DAYS = 30;
/** Longer than any process goes on sending a flush whose answer it did not get. */
const WRITER_DAYS = 30;

const expiredKeys = tenantStatement(
  'upkeep_idempotency_keys',
  `delete from idempotency_keys where organization_id = $1 and key in
     (select key from idempotency_keys where organization_id = $1 and expires_at < now() limit $2)`,
);
const oldInbox = tenantStatement(
  'upkeep_inbox',
  `delete from inbox where organization_id = $1 and (consumer, message_id) in
     (select consumer, message_id from inbox
      where organization_id = $1 and processed_at < now() - make_interval(days => $2) limit $3)`,
);
const goneWriters = tenantStatement(
  'upkeep_usage_writers',
  `delete from usage_writers where organization_id = $1 and writer in
     (select writer from usage_writers
      where organization_id = $1 and flushed_at < now() - make_interval(days => $2) limit $3)`,
);

@Injectable()
export class RetentionTask implements TenantTask, OnModuleInit {
  readonly name = 'retention';

  constructor(
    private readonly database: TenantDatabase,
    private readonly tasks: UpkeepTasks,
  ) {}

  onModuleInit(): void {
    this.tasks.add(this);
  }

  async run(): Promise<void> {
    await this.repeat(expiredKeys(BATCH));
    await this.repeat(oldInbox(INBOX_DAYS, BATCH));
    await this.repeat(goneWriters(WRITER_DAYS, BATCH));
  }

  private async repeat(statement: Statement): Promise<void> {
    for (let rows = BATCH; rows >= BATCH;) {
      const [result] = await this.database.batch([statement]);
      rows = result?.rowCount ?? 0;
    }
  }
}
