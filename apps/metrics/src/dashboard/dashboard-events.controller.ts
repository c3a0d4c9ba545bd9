/** /v1/dashboard/…/events: the same views, as they change. */
import { Controller, Get, Header, Param, Query, Req, Res, StreamableFile } from '@nestjs/common';
import { closeWith, EVENT_STREAM } from '#libs/http';
import { bearerToken, RequirePermission } from '#libs/identity';
import type { ShapeType } from '#libs/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentReader, type Reader, requireOperator, requireReaderOf } from '../access/reader';
import { READ_PERMISSION } from '../access/reader.service';
import { ORGANIZATION_ID } from './dashboard.controller';
import { RANGE_QUERY } from './dashboard.shape';
import { PlatformViewService } from './platform/platform-view.service';
import type { Look } from './shared-view';
import { ViewStreams } from './stream/view-streams.service';
import { TenantViewService } from './tenant/tenant-view.service';

const NO_STORE = ['Cache-Control', 'no-store, no-transform'] as const;
/** nginx hands on what it has. */
const UNBUFFERED = ['X-Accel-Buffering', 'no'] as const;

@RequirePermission(READ_PERMISSION)
@Controller('v1/dashboard')
export class DashboardEventsController {
  constructor(
    private readonly platform: PlatformViewService,
    private readonly tenant: TenantViewService,
    private readonly streams: ViewStreams,
  ) {}

  @Get('platform/events')
  @Header(...NO_STORE)
  @Header(...UNBUFFERED)
  followPlatform(
    @CurrentReader() reader: Reader,
    @Query({ schema: RANGE_QUERY }) { range }: ShapeType<typeof RANGE_QUERY>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return this.follow(request, reply, reader, (now) => {
      requireOperator(now);
      return this.platform.look(range);
    });
  }

  @Get('tenants/:id/events')
  @Header(...NO_STORE)
  @Header(...UNBUFFERED)
  followTenant(
    @CurrentReader() reader: Reader,
    @Param('id', { schema: ORGANIZATION_ID }) organizationId: string,
    @Query({ schema: RANGE_QUERY }) { range }: ShapeType<typeof RANGE_QUERY>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return this.follow(request, reply, reader, (now) => {
      requireReaderOf(now, organizationId);
      return this.tenant.look({ organizationId, range, forOperator: now.kind === 'operator' });
    });
  }

  private async follow(
    request: FastifyRequest,
    reply: FastifyReply,
    reader: Reader,
    look: (reader: Reader) => Promise<Look<unknown>>,
  ): Promise<StreamableFile> {
    const stream = await this.streams.open({
      credential: bearerToken(request),
      reader,
      look: async (now) => look(now),
    });
    closeWith(reply.raw, stream);
    return new StreamableFile(stream, { type: EVENT_STREAM });
  }
}
