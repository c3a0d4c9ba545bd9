/** /v1/exports and the files they produce. */
import { Body, Controller, Get, HttpCode, Param, Post, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CREATE_EXPORT, type ExportRequest, ExportService } from '#libs/bulk';
import { ApiProblems } from '#libs/http';
import { RequirePermission } from '#libs/identity';
import { Fields, shape } from '#libs/kernel';
import { JOB, type JobView } from '#libs/queues';
import { RateLimit } from '#libs/throttling';

const ID = shape(Fields.id());

@ApiTags('bulk')
@ApiBearerAuth()
@ApiProblems({ 400: 'Malformed request.', 401: 'Not authenticated.', 403: 'Not permitted.' })
@Controller('v1')
export class ExportsController {
  constructor(private readonly exports: ExportService) {}

  /** Everything of one resource, as a job whose file is there when it is completed. */
  @Post('exports')
  @RateLimit('export')
  @HttpCode(202)
  @RequirePermission('jobs:write')
  @ApiResponse({ status: 202, standardSchema: JOB })
  create(@Body({ schema: CREATE_EXPORT }) body: ExportRequest): Promise<JobView> {
    return this.exports.create(body);
  }

  @Get('jobs/:id/file')
  @RequirePermission('jobs:read')
  @ApiProduces('text/csv', 'application/x-ndjson')
  @ApiResponse({ status: 200, description: 'The file of a completed export or report.' })
  @ApiProblems({ 404: 'Unknown id, or the file is past its retention.', 409: '`job_has_no_file`.' })
  async file(@Param('id', { schema: ID }) id: string): Promise<StreamableFile> {
    const { stream, bytes, contentType, filename } = await this.exports.file(id);
    const disposition = `attachment; filename="${filename}"`;
    return new StreamableFile(stream, { type: contentType, length: bytes, disposition });
  }
}
