/**
 * The board of the queues at /board, for operators with a browser: bull-board, to look at and nothing else. What it offers beyond
 * that (retry, promote, remove, clean, pause) would change queues behind the back of the tables; `POST /v1/jobs/{id}/retry` and
 * `cancel` are the ways to do it. So nothing but GET and HEAD is let through, and a browser that a foreign page makes send its
 * credential has nothing to give.
 */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createBullBoard } from '@bull-board/api';
import { FastifyAdapter } from '@bull-board/fastify';
import type { AppConfig } from '#libs/config';
import { sendProblem } from '#libs/http';
import { StockyardError } from '#libs/kernel';
import type { FastifyRequest } from 'fastify';
import { requireOperatorToken } from '../access/operator-token';
import { BoardQueues } from './board-queues';

const PREFIX = '/board';
const READS = new Set(['GET', 'HEAD']);
/** Makes a browser ask: any user, the token as password. */
const CHALLENGE = 'Basic realm="Stockyard operators", charset="UTF-8"';

/** Everything comes from this process: no script, font or frame of anybody else. Its styles stand in its elements. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
    "connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const;

/** Call it before the application listens. */
export function serveBoard(app: NestFastifyApplication, config: Pick<AppConfig, 'ADMIN_TOKEN'>): void {
  const queues = app.get(BoardQueues);
  const board = new FastifyAdapter();
  board.setBasePath(PREFIX);
  createBullBoard({
    queues: queues.adapters(),
    serverAdapter: board,
    options: { uiConfig: { boardTitle: 'Stockyard queues', hideDocsLink: true } },
  });
  const fastify = app.getHttpAdapter().getInstance();
  void fastify.register(
    async (scope) => {
      scope.addHook('onRequest', async (request, reply) => {
        const refusal = refusalOf(request, queues, config.ADMIN_TOKEN);
        reply.headers(HEADERS);
        if (!refusal) return;
        sendProblem(reply, refusal, request.id);
        return reply;
      });
      scope.addHook('onSend', async (_request, reply) => {
        if (reply.statusCode === 401) reply.header('WWW-Authenticate', CHALLENGE);
      });
      await scope.register(board.registerPlugin());
    },
    { prefix: PREFIX },
  );
}

function refusalOf(request: FastifyRequest, queues: BoardQueues, token: string): StockyardError | undefined {
  try {
    requireOperatorToken(request.headers.authorization, token, { basic: true });
  } catch (error) {
    return error as StockyardError;
  }
  if (!READS.has(request.method)) {
    const message = 'The board only shows. Retry or cancel a job at /v1/jobs/{id}, as its organization.';
    return new StockyardError({ code: 'board_is_read_only', category: 'forbidden', message });
  }
  if (!queues.ready) {
    const message = 'The Redis of the queues does not answer at the moment. Retry.';
    return new StockyardError({ code: 'queue_unavailable', category: 'unavailable', message, retryAfterSeconds: 5 });
  }
  return undefined;
}
