/** Idempotency: a write and the record of its answer commit in one flight; a repetition gets the stored answer. */
export { IdempotencyModule } from './idempotency.module';
export { IdempotentFlight, type IdempotentRequest, IdempotentReply, recordStatement } from './idempotent-flight';
export { requestFingerprint } from './request-fingerprint';
