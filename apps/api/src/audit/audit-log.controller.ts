/** The audit log of the caller's organization. */
import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { AuditService } from '#libs/audit';
import { page } from '#libs/http';
import { RequirePermission } from '#libs/identity';
import type { ShapeType } from '#libs/kernel';
import { AUDIT_PAGE, AUDIT_QUERY, auditBody } from './audit-log.shape';

@ApiTags('audit_log')
@ApiBearerAuth()
@Controller('v1/audit_log')
export class AuditLogController {
  constructor(private readonly audit: AuditService) {}

  @Get()
  @RequirePermission('audit:read')
  @ApiOperation({ summary: 'List who did what, newest first' })
  @ApiResponse({ status: 200, description: 'A page of entries.', standardSchema: AUDIT_PAGE })
  async list(@Query({ schema: AUDIT_QUERY }) query: ShapeType<typeof AUDIT_QUERY>) {
    return page((await this.audit.list(query)).map(auditBody), query.limit, (entry) => [entry.id]);
  }
}
