/** `GET /metrics`: what this process counts, for Prometheus. */
import { Controller, Get, Header, Res, SetMetadata } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { MetricsRegistry } from './metrics-registry';

/**
 * The metadata of `@Public()` in libs/identity, which this library stands below of and may not import. Scrapers come
 * without credentials; keep the path off the public load balancer.
 */
const ForScrapers = () => SetMetadata('stockyard:access', { kind: 'public' });

@ApiExcludeController()
@Controller()
export class MetricsController {
  constructor(private readonly registry: MetricsRegistry) {}

  @Get('metrics')
  @ForScrapers()
  @Header('Cache-Control', 'no-store')
  async metrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    reply.type(this.registry.contentType);
    return this.registry.text();
  }
}
