/** /v1/jobs/{id}/events */
import { Controller, Get, Header, Headers, Param, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems, closeWith, EVENT_STREAM } from '#libs/http';
import { bearerToken, RequirePermission } from '#libs/identity';
import { Fields, shape } from '#libs/kernel';
import { Admit } from '#libs/throttling';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { JobEventsService } from './job-events.service';

const ID = shape(Fields.id());

@ApiTags('jobs')
@ApiBearerAuth()
@Controller('v1/jobs')
export class JobEventsController {
  constructor(private readonly events: JobEventsService) {}

  @Get(':id/events')
  @RequirePermission('jobs:read')
  @Admit({ priority: 'interactive', holds: 'nothing' })
  @Header('Cache-Control', 'no-cache, no-transform')
  @Header('X-Accel-Buffering', 'no') // nginx hands on what it has
  @ApiOperation({
    summary: 'Follow a job',
    description:
      'Server-sent events: `job` with the job as it stands, at first and at each change, and `log` with each new line of its ' +
      'log. Ends after the final state. With Last-Event-ID it goes on from there; 204 when the end was seen. The ' +
      'credential is checked again at each look.',
  })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: '`id` of the last event that was received.' })
  @ApiResponse({
    status: 200,
    description: 'The events, until the job is final.',
    content: { [EVENT_STREAM]: { schema: { type: 'string' } } },
  })
  @ApiResponse({ status: 204, description: 'There will be no more: do not connect again.' })
  @ApiProblems({
    401: 'Not authenticated.',
    403: 'Not permitted, or `organization_not_active`.',
    404: 'Unknown id.',
    429: '`too_many_streams` of the organization are open.',
    503: '`streams_unavailable`: the process has as many as it takes, or leaves.',
  })
  async follow(
    @Param('id', { schema: ID }) id: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile | undefined> {
    const stream = await this.events.open({ credential: bearerToken(request), jobId: id, lastEventId });
    if (!stream) {
      void reply.status(204);
      return undefined;
    }
    closeWith(reply.raw, stream);
    return new StreamableFile(stream, { type: EVENT_STREAM });
  }
}
