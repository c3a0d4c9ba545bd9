/** Operations on organizations as a whole, for the operators of the platform. */
import { Body, Controller, Get, HttpCode, Param, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems, page } from '#libs/http';
import { Operators } from '#libs/identity';
import { Fields, shape, type ShapeType } from '#libs/kernel';
import { OperationService } from '#libs/lifecycle';
import { RequestId } from '../access/request-id.decorator';
import { StreamUpload } from '../upload/stream-upload';
import {
  ARCHIVE_TYPE,
  CREATE_OPERATION,
  IMPORT_QUERY,
  OPERATION,
  OPERATION_PAGE,
  OPERATION_QUERY,
  operationBody,
} from './operation.shape';

const ID = shape(Fields.id());
const QUEUED = { status: 202, description: 'The operation; follow it by its id.', standardSchema: OPERATION };

@ApiTags('admin')
@ApiBearerAuth()
@Operators()
@Controller('v1/admin')
export class AdminOperationsController {
  constructor(private readonly operations: OperationService) {}

  @Post('organizations/:id/operations')
  @HttpCode(202)
  @ApiOperation({ summary: 'Export, delete or move an organization' })
  @ApiResponse(QUEUED)
  @ApiProblems({
    404: '`not_found`.',
    409: '`operation_in_progress` (with the open operation), `organization_state_locked`, `already_there`.',
    422: '`unknown_shard`, `shard_in_other_region`, `unknown_region`.',
  })
  async create(
    @Param('id', { schema: ID }) organizationId: string,
    @Body({ schema: CREATE_OPERATION }) body: ShapeType<typeof CREATE_OPERATION>,
    @RequestId() requestId: string,
  ) {
    return operationBody(await this.operations.request(organizationId, body, requestId));
  }

  @Post('imports')
  @HttpCode(202)
  @ApiOperation({ summary: 'Restore an organization from an archive, beside the others' })
  @ApiConsumes(ARCHIVE_TYPE)
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiResponse(QUEUED)
  @ApiProblems({
    409: '`organization_exists`, `slug_taken`, `operation_in_progress`.',
    413: '`file_too_large`.',
    415: `Send ${ARCHIVE_TYPE}.`,
    422: '`archive_damaged`, `archive_incompatible`.',
  })
  async import(
    @Query({ schema: IMPORT_QUERY }) { slug }: ShapeType<typeof IMPORT_QUERY>,
    @StreamUpload(ARCHIVE_TYPE) content: AsyncIterable<Uint8Array>,
    @RequestId() requestId: string,
  ) {
    return operationBody(await this.operations.import({ content, slug, requestId }));
  }

  @Get('operations')
  @ApiOperation({ summary: 'List operations, newest first' })
  @ApiResponse({ status: 200, description: 'A page of operations.', standardSchema: OPERATION_PAGE })
  async list(@Query({ schema: OPERATION_QUERY }) query: ShapeType<typeof OPERATION_QUERY>) {
    const { organization_id: organizationId, cursor, limit } = query;
    const found = await this.operations.list({ organizationId, cursor, limit });
    return page(found.map(operationBody), limit, ({ id }) => [id]);
  }

  @Get('operations/:id')
  @ApiOperation({ summary: 'Read an operation' })
  @ApiResponse({ status: 200, description: 'The operation.', standardSchema: OPERATION })
  @ApiProblems({ 404: '`not_found`.' })
  async get(@Param('id', { schema: ID }) id: string) {
    return operationBody(await this.operations.get(id));
  }

  @Post('operations/:id/rollback')
  @HttpCode(202)
  @ApiOperation({ summary: 'Undo an open operation' })
  @ApiResponse(QUEUED)
  @ApiProblems({ 404: '`not_found`.', 409: '`operation_not_undoable`.' })
  async rollBack(@Param('id', { schema: ID }) id: string) {
    return operationBody(await this.operations.rollBack(id));
  }

  @Get('operations/:id/archive')
  @ApiOperation({ summary: 'Download the archive of a completed export; it holds hashes of passwords and keys' })
  @ApiProduces(ARCHIVE_TYPE)
  @ApiResponse({ status: 200, description: 'The archive.' })
  @ApiProblems({ 404: '`not_found`, or the archive is past its retention.', 409: '`operation_has_no_archive`.' })
  async archive(@Param('id', { schema: ID }) id: string): Promise<StreamableFile> {
    const { stream, bytes, filename } = await this.operations.archive(id);
    return new StreamableFile(stream, {
      type: ARCHIVE_TYPE,
      length: bytes,
      disposition: `attachment; filename="${filename}"`,
    });
  }
}
