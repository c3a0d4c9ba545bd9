/** Boots a Nest application on Fastify with everything the three processes share at their edge. */
import type { RequestListener } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AppConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ClsService } from 'nestjs-cls';
import { Logger } from 'nestjs-pino';
import { Connections } from './edge/connections';
import { edgeServer } from './edge/http-server';
import { takeJsonBodies } from './edge/json-body';
import { lingerBeforeClosing } from './edge/lingering-close';
import { headRefusal } from './edge/request-head';
import { EtagInterceptor } from './etag.interceptor';
import { ProblemFilter, sendProblem, toStockyardError } from './problem.filter';
import { validationPipe } from './validation.pipe';

export interface HttpApplicationOptions {
  readonly module: Parameters<typeof NestFactory.create>[0];
  readonly config: AppConfig;
}

const REQUEST_ID = /^[\w.:-]{1,128}$/;

function requestId(request: { headers: Record<string, string | string[] | undefined> }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : newId();
}

function trustedProxies({ TRUSTED_PROXIES }: AppConfig): string[] | false {
  const proxies = TRUSTED_PROXIES.split(',').map((proxy) => proxy.trim());
  return proxies.some(Boolean) ? proxies.filter(Boolean) : false;
}

function adapter(config: AppConfig, connections: Connections): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: config.BODY_LIMIT_BYTES,
    genReqId: requestId,
    trustProxy: trustedProxies(config),
    serverFactory: (handle: RequestListener) => edgeServer(handle, connections, config),
    clientErrorHandler: () => undefined, // the server has its own
    routerOptions: { maxParamLength: 512 },
    forceCloseConnections: 'idle',
    return503OnClosing: false, // what arrived on a connection that was in use is answered before pools are closed
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(reply, toStockyardError(error), request.id);
    },
  });
}

/** What is refused of whoever it comes from, before anything else looks at it. */
function guardEdge(fastify: FastifyInstance, connections: Connections, config: AppConfig): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('X-Request-Id', request.id);
    const refusal = connections.refusal(request.raw) ?? headRefusal(request.raw, config);
    if (refusal === undefined) {
      done();
      return;
    }
    if (refusal.category === 'unavailable') reply.header('Connection', 'close');
    sendProblem(reply, refusal, request.id);
  });
  takeJsonBodies(fastify, config);
  lingerBeforeClosing(fastify);
}

/**
 * A Nest application that is not listening yet. The tenant context lives from body parsing to the reply: it is opened
 * after parsing, because stream events of the body would lose it.
 */
export async function createHttpApplication(options: HttpApplicationOptions): Promise<NestFastifyApplication> {
  const connections = new Connections(options.config);
  const http = adapter(options.config, connections);
  const app = await NestFactory.create<NestFastifyApplication>(options.module, http, {
    bufferLogs: true,
    abortOnError: false,
    bodyParser: false, // Fastify's own JSON parser stays; forms and plain text are refused with 415
  });
  app.useLogger(app.get(Logger));
  const cls = app.get(ClsService);
  const fastify = app.getHttpAdapter().getInstance();
  fastify.removeContentTypeParser('text/plain');
  guardEdge(fastify, connections, options.config);
  fastify.addHook('preValidation', (_request, _reply, done) => cls.run(() => done()));
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new ProblemFilter());
  app.useGlobalInterceptors(new EtagInterceptor());
  app.enableShutdownHooks();
  return app;
}
