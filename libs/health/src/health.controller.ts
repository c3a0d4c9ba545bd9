/** `/live`, `/ready` and `/health` of each process; `/api/ready` and `/api/health` are their older addresses. */
import { Controller, Get, Header, Res, SetMetadata } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { DrainService, type ProcessState } from './drain.service';
import { type HealthReport, HealthService } from './health.service';

/** The metadata of `@Public()` in libs/identity: the domain is not for this library to import. */
const ForProbes = () => SetMetadata('stockyard:access', { kind: 'public' });

/** The metadata of `@ApiExcludeController()`: two of the three processes document nothing, and do not load @nestjs/swagger. */
const Undocumented = () => SetMetadata('swagger/apiExcludeController', [true]);

@Undocumented()
@ForProbes()
@Controller()
export class HealthController {
  constructor(
    private readonly health: HealthService,
    private readonly drain: DrainService,
  ) {}

  /** Answering is the proof: the event loop turns. It asks nothing else, or an outage would restart every process. */
  @Get('live')
  @Header('Cache-Control', 'no-store')
  live(): { status: 'live' } {
    return { status: 'live' };
  }

  /** Whether this process wants requests. Shared dependencies do not count, or an outage would take all out at once. */
  @Get(['ready', 'api/ready'])
  @Header('Cache-Control', 'no-store')
  ready(@Res({ passthrough: true }) reply: FastifyReply): { status: ProcessState } {
    if (this.drain.state !== 'ready') reply.status(503);
    return { status: this.drain.state };
  }

  @Get(['health', 'api/health'])
  @Header('Cache-Control', 'no-store')
  async report(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthReport> {
    const report = await this.health.report();
    if (report.status === 'unhealthy') reply.status(503);
    return report;
  }
}
