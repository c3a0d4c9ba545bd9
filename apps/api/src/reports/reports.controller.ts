/** /v1/reports */
import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '#libs/http';
import { RequirePermission } from '#libs/identity';
import { JOB, type JobView } from '#libs/queues';
import { CREATE_REPORT, type CreateReport, ReportService } from '#libs/reports';
import { Admit, RateLimit } from '#libs/throttling';

@ApiTags('reports')
@ApiBearerAuth()
@ApiProblems({ 400: 'Malformed request.', 401: 'Not authenticated.', 403: 'Not permitted.' })
@Controller('v1/reports')
export class ReportsController {
  constructor(private readonly reports: ReportService) {}

  /** A report as a job, whose file is at `/v1/jobs/{id}/file` when it is completed. */
  @Post()
  @ApiOperation({ summary: 'Write a report as a job' })
  @Admit({ priority: 'report' })
  @RateLimit('export')
  @HttpCode(202)
  @RequirePermission('jobs:write')
  @ApiResponse({ status: 202, standardSchema: JOB })
  create(@Body({ schema: CREATE_REPORT }) body: CreateReport): Promise<JobView> {
    return this.reports.create(body);
  }
}
