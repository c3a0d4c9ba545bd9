/** /v1/connections */
import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, UseInterceptors } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  CONNECTION,
  CONNECTION_STATES,
  type ConnectionChange,
  ConnectionService,
  connectionView,
  type ConnectionView,
  CREATE_CONNECTION,
  type NewConnection,
  SyncService,
  UPDATE_CONNECTION,
} from '#libs/connections';
import { ApiProblems, IfMatch, page, type Page } from '#libs/http';
import type { IdempotentReply } from '#libs/idempotency';
import { RequirePermission } from '#libs/identity';
import { closed, Fields, pageOf, PageQuery, shape, type ShapeType } from '#libs/kernel';
import { JOB, type JobView } from '#libs/queues';
import Type from 'typebox';
import { IdempotentReplyInterceptor } from '../idempotency/idempotent-reply.interceptor';

const ID = shape(Fields.id());
const QUERY = shape(
  closed({
    ...PageQuery,
    state: Type.Optional(Type.Enum([...CONNECTION_STATES], { description: 'Only connections in this state.' })),
  }),
  { text: true },
);
const PAGE = shape(pageOf(CONNECTION.schema));

@ApiTags('connections')
@ApiBearerAuth()
@ApiProblems({ 400: 'Malformed request.', 401: 'Not authenticated.', 403: 'Not permitted.', 404: 'Unknown id.' })
@Controller('v1/connections')
export class ConnectionsController {
  constructor(
    private readonly connections: ConnectionService,
    private readonly syncs: SyncService,
  ) {}

  /** Where stock is to be pulled from. Nothing is asked there before the first sync. */
  @Post()
  @ApiOperation({ summary: 'Connect a system that stock is pulled from' })
  @RequirePermission('connections:write')
  @ApiResponse({ status: 201, standardSchema: CONNECTION })
  @ApiProblems({
    403: '`limit_exceeded` (max_sync_connections) or not permitted.',
    409: '`connection_name_taken`.',
    422: '`outbound_refused_url`, `outbound_refused_address`, `unknown_location`.',
  })
  async create(@Body({ schema: CREATE_CONNECTION }) body: NewConnection): Promise<ConnectionView> {
    return connectionView(await this.connections.create(body));
  }

  /** Newest first. */
  @Get()
  @ApiOperation({ summary: 'List connections' })
  @RequirePermission('connections:read')
  @ApiResponse({ status: 200, standardSchema: PAGE })
  async list(@Query({ schema: QUERY }) query: ShapeType<typeof QUERY>): Promise<Page<ConnectionView>> {
    return page((await this.connections.list(query)).map(connectionView), query.limit, ({ id }) => [id]);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a connection' })
  @RequirePermission('connections:read')
  @ApiResponse({ status: 200, standardSchema: CONNECTION })
  async get(@Param('id', { schema: ID }) id: string): Promise<ConnectionView> {
    return connectionView(await this.connections.get(id));
  }

  /** With another url it begins anew, unless a cursor comes with it; with a url of another server it needs the secrets again. */
  @Patch(':id')
  @ApiOperation({ summary: 'Change a connection' })
  @RequirePermission('connections:write')
  @ApiResponse({ status: 200, standardSchema: CONNECTION })
  @ApiProblems({
    400: 'Malformed request, or `credentials_required`.',
    409: '`connection_name_taken`.',
    412: 'If-Match names another version.',
    422: '`outbound_refused_url`, `outbound_refused_address`, `unknown_location`, `secret_unreadable`.',
  })
  async update(
    @Param('id', { schema: ID }) id: string,
    @IfMatch() version: number | undefined,
    @Body({ schema: UPDATE_CONNECTION }) body: ConnectionChange,
  ): Promise<ConnectionView> {
    return connectionView(await this.connections.update(id, version, body));
  }

  /** Syncs end without having asked, until it is resumed. */
  @Post(':id/pause')
  @ApiOperation({ summary: 'Pause a connection' })
  @HttpCode(200)
  @RequirePermission('connections:write')
  @ApiResponse({ status: 200, standardSchema: CONNECTION })
  @ApiProblems({ 412: 'If-Match names another version.' })
  async pause(
    @Param('id', { schema: ID }) id: string,
    @IfMatch() version: number | undefined,
  ): Promise<ConnectionView> {
    return connectionView(await this.connections.pause(id, version));
  }

  /** Syncs ask again. Closes the breaker too: for when the outside system is known to be back. */
  @Post(':id/resume')
  @ApiOperation({ summary: 'Resume a connection' })
  @HttpCode(200)
  @RequirePermission('connections:write')
  @ApiResponse({ status: 200, standardSchema: CONNECTION })
  @ApiProblems({ 412: 'If-Match names another version.' })
  async resume(
    @Param('id', { schema: ID }) id: string,
    @IfMatch() version: number | undefined,
  ): Promise<ConnectionView> {
    return connectionView(await this.connections.resume(id, version));
  }

  /** The stock that it has brought stays. */
  @Delete(':id')
  @ApiOperation({ summary: 'Delete a connection' })
  @HttpCode(204)
  @RequirePermission('connections:write')
  @ApiResponse({ status: 204, description: 'Deleted.' })
  @ApiProblems({ 412: 'If-Match names another version.' })
  async delete(@Param('id', { schema: ID }) id: string, @IfMatch() version: number | undefined): Promise<void> {
    await this.connections.delete(id, version);
  }

  /** Pulls what there is since the last sync, as a job. Counts are absolute, so a repetition does no harm. */
  @Post(':id/sync')
  @ApiOperation({ summary: 'Pull stock now, as a job' })
  @RequirePermission('jobs:write')
  @UseInterceptors(IdempotentReplyInterceptor)
  @ApiResponse({ status: 202, description: 'The new job.', standardSchema: JOB })
  @ApiResponse({ status: 200, description: 'The sync of this connection that has not ended.', standardSchema: JOB })
  @ApiProblems({
    409: '`connection_paused`; `connection_breaker_open`, with `retry_at` and Retry-After.',
    429: '`queue_full`.',
  })
  sync(@Param('id', { schema: ID }) id: string): Promise<IdempotentReply<JobView>> {
    return this.syncs.request(id);
  }
}
