/** /v1/imports */
import { Controller, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ImportService } from '#libs/bulk';
import { ApiProblems, IdempotencyKey } from '#libs/http';
import type { IdempotentReply } from '#libs/idempotency';
import { RequirePermission } from '#libs/identity';
import { JOB, type JobView } from '#libs/queues';
import { Admit, RateLimit } from '#libs/throttling';
import { Idempotent } from '../idempotency/idempotent.decorator';
import { StreamUpload } from '../upload/stream-upload';

@ApiTags('bulk')
@ApiBearerAuth()
@ApiProblems({ 400: 'Malformed request.', 401: 'Not authenticated.', 403: 'Not permitted.' })
@Controller('v1/imports')
export class ImportsController {
  constructor(private readonly imports: ImportService) {}

  /**
   * Products and stock as CSV with the header `sku,name,description,price,currency,location,on_hand`; only sku is
   * required, for new products name and currency too. on_hand is a count, so the same file may be sent again.
   */
  @Post()
  @ApiOperation({ summary: 'Import products or stock from a file, as a job' })
  @Admit({ priority: 'bulk', holds: 'slot' })
  @RateLimit('bulk')
  @RequirePermission('jobs:write')
  @Idempotent()
  @ApiConsumes('text/csv')
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiResponse({ status: 202, standardSchema: JOB })
  @ApiProblems({
    403: '`limit_exceeded` (max_storage_bytes) or not permitted.',
    413: '`file_too_large`.',
    415: '`unsupported_media_type`: send text/csv. `unsupported_content_encoding`: send it uncompressed.',
    422: '`invalid_csv_header`, or the key was used for another file.',
  })
  create(
    @IdempotencyKey() key: string,
    @StreamUpload('text/csv') content: AsyncIterable<Uint8Array>,
  ): Promise<IdempotentReply<JobView>> {
    return this.imports.create({ key, content });
  }
}
