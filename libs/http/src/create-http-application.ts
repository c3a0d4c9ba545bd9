/** Boots a Nest application on Fastify with everything the three processes share at their edge. */

import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AppConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ClsService } from 'nestjs-cls';
import { Logger } from 'nestjs-pino';
import { EtagInterceptor } from './etag.interceptor';
import { ProblemFilter, sendProblem, toStockyardError } from './problem.filter';
import { endUnreadable } from './unreadable-request';
import { validationPipe } from './validation.pipe';

export interface HttpApplicationOptions {
  readonly module: Parameters<typeof NestFactory.create>[0];
  readonly config: AppConfig;
}

const REQUEST_ID = /^[\w.:-]{1,128}$/;
/** Node times the whole body: long enough for the largest upload on a slow line. */
const REQUEST_TIMEOUT_MS = 600_000;
const HEADERS_TIMEOUT_MS = 15_000;
const MAX_HEADER_BYTES = 16_384;

function requestId(request: { headers: Record<string, string | string[] | undefined> }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : newId();
}

function trustedProxies({ TRUSTED_PROXIES }: AppConfig): string[] | false {
  const proxies = TRUSTED_PROXIES.split(',').map((proxy) => proxy.trim());
  return proxies.some(Boolean) ? proxies.filter(Boolean) : false;
}

function adapter(config: AppConfig): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: config.BODY_LIMIT_BYTES,
    genReqId: requestId,
    trustProxy: trustedProxies(config),
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: 65_000, // above the idle timeout of common load balancers
    routerOptions: { maxParamLength: 512 },
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS },
    forceCloseConnections: 'idle',
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(reply, toStockyardError(error), request.id);
    },
    clientErrorHandler: (error, socket) => {
      endUnreadable(socket, error);
    },
  });
}

/**
 * Many clients name the type of a body that they do not send. It counts as none: where one is needed, validation says what is
 * missing, and an action that takes none is not refused.
 */
function takeEmptyAsNone(fastify: FastifyInstance): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeContentTypeParser('application/json');
  fastify.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else void parse(request, body as string, done);
  });
}

/**
 * A Nest application that is not listening yet. The tenant context lives from body parsing to the reply: it is opened
 * after parsing, because stream events of the body would lose it.
 */
export async function createHttpApplication(options: HttpApplicationOptions): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter(options.config), {
    bufferLogs: true,
    abortOnError: false,
    bodyParser: false, // Fastify's own JSON parser stays; forms and plain text are refused with 415
  });
  app.useLogger(app.get(Logger));
  const cls = app.get(ClsService);
  const fastify = app.getHttpAdapter().getInstance();
  fastify.removeContentTypeParser('text/plain');
  takeEmptyAsNone(fastify);
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('X-Request-Id', request.id);
    done();
  });
  fastify.addHook('preValidation', (_request, _reply, done) => cls.run(() => done()));
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new ProblemFilter());
  app.useGlobalInterceptors(new EtagInterceptor());
  app.enableShutdownHooks();
  return app;
}
