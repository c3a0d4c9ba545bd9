/** /v1/exports and the files they produce. */
import { Body, Controller, Get, HttpCode, Param, Post, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CREATE_EXPORT, type ExportRequest, ExportService } from '#libs/bulk';
import { ApiProblems } from '#libs/http';
import { RequirePermission } from '#libs/identity';
import { Fields, shape } from '#libs/kernel';
import { JOB, type JobView } from '#libs/queues';
import { attachment } from '#libs/storage';
import { Admit, RateLimit } from '#libs/throttling';
import { FileDownloadService } from '../files/file-download.service';
import { FILE_LINK, type FileLinkBody } from '../files/file-link.shape';
import { PublicAddress } from '../files/public-address.decorator';

const ID = shape(Fields.id());

@ApiTags('bulk')
@ApiBearerAuth()
@ApiProblems({ 400: 'Malformed request.', 401: 'Not authenticated.', 403: 'Not permitted.' })
@Controller('v1')
export class ExportsController {
  constructor(
    private readonly exports: ExportService,
    private readonly downloads: FileDownloadService,
  ) {}

  /** Everything of one resource, as a job whose file is there when it is completed. */
  @Post('exports')
  @ApiOperation({ summary: 'Export a resource as a job that writes a file' })
  @Admit({ priority: 'report' })
  @RateLimit('export')
  @HttpCode(202)
  @RequirePermission('jobs:write')
  @ApiResponse({ status: 202, standardSchema: JOB })
  create(@Body({ schema: CREATE_EXPORT }) body: ExportRequest): Promise<JobView> {
    return this.exports.create(body);
  }

  @Get('jobs/:id/file')
  @ApiOperation({ summary: 'Download the file of a completed export or report' })
  @Admit({ priority: 'report', holds: 'slot' })
  @RequirePermission('jobs:read')
  @ApiProduces('text/csv', 'application/x-ndjson')
  @ApiResponse({ status: 200, description: 'The file of a completed export or report.' })
  @ApiProblems({ 404: 'Unknown id, or the file is past its retention.', 409: '`job_has_no_file`.' })
  async file(@Param('id', { schema: ID }) id: string): Promise<StreamableFile> {
    const { stream, bytes, contentType, filename } = await this.exports.file(id);
    return new StreamableFile(stream, { type: contentType, length: bytes, disposition: attachment(filename) });
  }

  /** A link to the same file that can be handed on: it needs no credentials and expires. */
  @Post('jobs/:id/file_link')
  @ApiOperation({ summary: 'Make a link to the file that can be handed on and expires' })
  @RequirePermission('jobs:read')
  @ApiResponse({ status: 201, standardSchema: FILE_LINK })
  @ApiProblems({ 404: 'Unknown id, or the file is past its retention.', 409: '`job_has_no_file`.' })
  async link(@Param('id', { schema: ID }) id: string, @PublicAddress() address: string): Promise<FileLinkBody> {
    return this.downloads.linkBody(await this.exports.link(id), address);
  }
}
