/**
 * Each request is work with a trace: the caller's where it sends a valid `traceparent`, else one of its own. Its span
 * follows the semantic conventions for HTTP servers. Probes and scrapes have ids for the log and no span.
 */
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Attributes, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { Tracing, type Work } from '#libs/tracing';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isQuietPath, shownPath } from '../request-path';
import { keepWork, workOf } from './request-work';

/** What the guard of the api leaves on the request. */
type Authenticated = FastifyRequest & { readonly tenant?: { readonly organizationId: string } };

const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const HTTP_VERSIONS: Readonly<Record<string, string>> = { '2.0': '2' };

@Injectable()
export class HttpTracing {
  /** Hooks in before any route exists, as Fastify's hooks hold only for routes that come after them. */
  constructor(
    host: HttpAdapterHost,
    @Inject(Tracing) private readonly tracing: Tracing,
  ) {
    const fastify = host.httpAdapter.getInstance<FastifyInstance>();
    fastify.addHook('onRequest', (request, _reply, done) => {
      keepWork(request.raw, this.begin(request));
      done();
    });
    // After parsing, whose stream events would lose it.
    fastify.addHook('preValidation', (request, _reply, done) => {
      const work = workOf(request.raw);
      if (work) work.run(done);
      else done();
    });
    fastify.addHook('onResponse', (request, reply, done) => {
      end(request, reply, workOf(request.raw));
      done();
    });
  }

  private begin(request: FastifyRequest): Work {
    const { tracing } = this;
    const parent = tracing.ofCaller(request.headers.traceparent);
    if (!tracing.isOn || isQuietPath(request.url)) return tracing.unrecorded(parent);
    const name = methodOf(request);
    return tracing.begin({ name, kind: SpanKind.SERVER, parent, attributes: attributesOf(request) });
  }
}

function methodOf({ method }: FastifyRequest): string {
  return KNOWN_METHODS.has(method) ? method : '_OTHER';
}

function attributesOf(request: FastifyRequest): Attributes {
  const { httpVersion } = request.raw;
  return {
    'http.request.method': methodOf(request),
    'url.path': shownPath(request.url),
    'url.scheme': request.protocol,
    'network.protocol.version': HTTP_VERSIONS[httpVersion] ?? httpVersion,
    'stockyard.request_id': request.id,
  };
}

function end(request: FastifyRequest, reply: FastifyReply, work: Work | undefined): void {
  const span = work?.span;
  if (!span) return;
  const { statusCode } = reply;
  const route = request.is404 ? undefined : request.routeOptions.url;
  const organizationId = (request as Authenticated).tenant?.organizationId;
  span.setAttribute('http.response.status_code', statusCode);
  if (organizationId !== undefined) span.setAttribute('stockyard.organization_id', organizationId);
  if (route !== undefined) {
    span.updateName(`${methodOf(request)} ${route}`);
    span.setAttribute('http.route', route);
  }
  if (!reply.raw.writableFinished) span.setAttribute('error.type', 'client_gone');
  else if (statusCode >= 500) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.setAttribute('error.type', String(statusCode));
  }
  span.end();
}
