/** Audit: who did what to which of a tenant's things, written with the deed and never changed. */
export { AuditModule } from './audit.module';
export { AuditService, type AuditEntry } from './audit.service';
export type { AuditData, AuditRecord } from './audit.repository';
