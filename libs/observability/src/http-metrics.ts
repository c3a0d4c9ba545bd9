/**
 * Rate, errors and duration of HTTP: one histogram by method, route template and status class. A path that matches no
 * route counts as `unmatched`, so that a scanner cannot grow the series. Event streams do not count: they last as long as
 * their client likes.
 */
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { MetricsRegistry } from './metrics-registry';

const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

@Injectable()
export class HttpMetrics {
  /** Hooks in before any route exists, as Fastify's hooks hold only for routes that come after them. */
  constructor(host: HttpAdapterHost, registry: MetricsRegistry) {
    const observe = registry.histogram({
      name: 'stockyard_http_request_duration_seconds',
      help: 'Requests by route template and status class, from their head to the end of the reply.',
      labels: ['method', 'route', 'status'],
      buckets: SECONDS,
    });
    const fastify = host.httpAdapter.getInstance<FastifyInstance>();
    fastify.addHook('onResponse', (request, reply, done) => {
      const route = request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched');
      const status = `${String(reply.statusCode).charAt(0)}xx`;
      const streams = String(reply.getHeader('content-type')).startsWith('text/event-stream');
      if (!streams) observe({ method: request.method, route, status }, reply.elapsedTime / 1_000);
      done();
    });
  }
}
