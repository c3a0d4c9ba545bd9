/**
 * Rate, errors and duration of HTTP: one histogram by method, route template and status class. A path that matches no
 * route counts as `unmatched`, and a method that is none of HTTP's as `other`, so that a scanner cannot grow the series. Event
 * streams do not count: they last as long as their client likes. Beside it the last minute as plain gauges, which probes and
 * scrapes are no part of: they say nothing of what clients meet.
 */
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MetricsRegistry } from './metrics-registry';
import { QUIET_PATHS } from './quiet-paths';
import { type RequestSignals, RequestWindow } from './request-window';
import { workOf } from './tracing/request-work';

const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const MS_PER_SECOND = 1_000;

@Injectable()
export class HttpMetrics {
  private readonly window = new RequestWindow(performance.now());

  /** Hooks in before any route exists, as Fastify's hooks hold only for routes that come after them. */
  constructor(host: HttpAdapterHost, registry: MetricsRegistry) {
    const observe = registry.histogram({
      name: 'stockyard_http_request_duration_seconds',
      help: 'Requests by route template and status class, from their head to the end of the reply.',
      labels: ['method', 'route', 'status'],
      buckets: SECONDS,
    });
    registry.gauge({
      name: 'http_requests_per_second', // as autoscalers are set up to read it
      help: 'Requests of the last minute by the second, without probes and scrapes.',
      read: () => [{ value: this.lastMinute().perSecond }],
    });
    registry.gauge({
      name: 'stockyard_http_p95_seconds',
      help: 'What 95 % of them were answered within, at most 9 % too high; 0 while there were none.',
      read: () => [{ value: this.lastMinute().p95Ms / MS_PER_SECOND }],
    });
    const fastify = host.httpAdapter.getInstance<FastifyInstance>();
    fastify.addHook('onResponse', (request, reply, done) => {
      if (!isStream(reply)) {
        const labels = labelsOf(request, reply);
        observe(labels, reply.elapsedTime / MS_PER_SECOND, workOf(request.raw)?.exemplar);
        if (!QUIET_PATHS.test(labels.route)) this.window.record(reply.elapsedTime, performance.now());
      }
      done();
    });
  }

  /** What this process answered. */
  lastMinute(): RequestSignals {
    return this.window.signals(performance.now());
  }
}

function isStream(reply: FastifyReply): boolean {
  return String(reply.getHeader('content-type')).startsWith('text/event-stream');
}

function labelsOf(request: FastifyRequest, reply: FastifyReply) {
  const route = request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched');
  const method = METHODS.has(request.method) ? request.method : 'other';
  return { method, route, status: `${String(reply.statusCode).charAt(0)}xx` };
}
