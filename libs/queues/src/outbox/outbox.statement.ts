/**
 * Outbox rows: what must happen because of a write, written in the write's own transaction. The relay turns each
 * into a job; delivery is at least once, and the inbox makes the effect exactly once.
 */
import { newId } from '#libs/kernel';
import { type Statement, tenantStatement } from '#libs/database';

export interface OutboxEvent {
  /** UUIDv7 of the row; a new one where it is left out. */
  readonly id?: string;
  /** What happened or is to be done, such as `order.allocated` or `job.queued`. */
  readonly topic: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  /** JSON with the facts a consumer needs; no secrets. */
  readonly payload: Readonly<Record<string, unknown>>;
}

const INSERT = `
  insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
  select $1, e.id, e.topic, e.aggregate_type, e.aggregate_id, e.payload
  from jsonb_to_recordset($2::jsonb) as e (id uuid, topic text, aggregate_type text, aggregate_id uuid, payload jsonb)`;

const insert = tenantStatement('outbox_insert', INSERT);

function rows(events: readonly OutboxEvent[]): string {
  return JSON.stringify(
    events.map((event) => ({
      id: event.id ?? newId(),
      topic: event.topic,
      aggregate_type: event.aggregateType,
      aggregate_id: event.aggregateId,
      payload: event.payload,
    })),
  );
}

/** The statement for a batch. */
export function outboxStatement(events: readonly OutboxEvent[]): Statement {
  return insert(rows(events));
}
