/** Serves `/v1/audit_log`. */
import { Module } from '@nestjs/common';
import { AuditModule } from '#libs/audit';
import { AuditLogController } from './audit-log.controller';

@Module({ imports: [AuditModule], controllers: [AuditLogController] })
export class AuditHttpModule {}
