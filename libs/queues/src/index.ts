/** Queues: job classes, outbox and inbox, jobs that tenants can watch. */
export { appendToOutbox, type OutboxEvent, outboxStatement } from './outbox/outbox.statement';
