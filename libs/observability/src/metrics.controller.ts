/** `GET /metrics`: what this process counts, for Prometheus; with exemplars for scrapers that take OpenMetrics. */
import { Controller, Get, Header, Headers, Res, SetMetadata } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CONTENT_TYPES, formatFor } from './exposition';
import { MetricsRegistry } from './metrics-registry';

/**
 * The metadata of `@Public()` in libs/identity, which this library stands below of and may not import. Scrapers come
 * without credentials; keep the path off the public load balancer.
 */
const ForScrapers = () => SetMetadata('stockyard:access', { kind: 'public' });

/** The metadata of `@ApiExcludeController()`: two of the three processes document nothing, and do not load @nestjs/swagger. */
const Undocumented = () => SetMetadata('swagger/apiExcludeController', [true]);

@Undocumented()
@Controller()
export class MetricsController {
  constructor(private readonly registry: MetricsRegistry) {}

  @Get('metrics')
  @ForScrapers()
  @Header('Cache-Control', 'no-store')
  @Header('Vary', 'Accept')
  metrics(
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const format = formatFor(accept);
    reply.type(CONTENT_TYPES[format]);
    return this.registry.text(format);
  }
}
