/**
 * Inbox: the proof that a message has been processed, committed with its effect. The statement comes first in the batch;
 * for a message that was processed before it violates the primary key, and nothing of the batch happens.
 */
import { isUniqueViolation, type Statement, type TenantDatabase, tenantStatement } from '#libs/database';

const insert = tenantStatement(
  'inbox_insert',
  'insert into inbox (organization_id, consumer, message_id) values ($1, $2, $3)',
);

/** `consumer` names who processes; `messageId` is the outbox row's id. */
export function inboxStatement(consumer: string, messageId: string): Statement {
  return insert(consumer, messageId);
}

/** True for the error of a batch whose inbox statement met a message that had been processed. */
export function isAlreadyProcessed(error: unknown): boolean {
  return isUniqueViolation(error, 'inbox_pkey');
}

export interface InboxMessage {
  readonly consumer: string;
  readonly messageId: string;
}

/** Applies the effect of a message once. False: it had been applied before, and nothing happened now. */
export async function applyOnce(
  database: TenantDatabase,
  message: InboxMessage,
  effect: readonly Statement[],
): Promise<boolean> {
  try {
    await database.batch([inboxStatement(message.consumer, message.messageId), ...effect]);
    return true;
  } catch (error) {
    if (isAlreadyProcessed(error)) return false;
    throw error;
  }
}
