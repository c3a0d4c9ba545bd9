/**
 * The page of the dashboard at /, as files that were built before: `index.html`, and under /assets what it loads, each named by its
 * content. Whoever can reach the process can read it; it asks for a credential itself. Nothing of anybody else is let in, and
 * nothing inline.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import fastifyStatic from '@fastify/static';
import { sendProblem } from '#libs/http';
import { StockyardError } from '#libs/kernel';

/** Beside the compiled process. */
export const BUILT_PAGE = join(__dirname, '../../page');

const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

const INDEX = 'index.html';
const NEVER_CHANGES = 'public, max-age=31536000, immutable';

/** Call it before the application listens. */
export function servePage(app: NestFastifyApplication, directory = BUILT_PAGE): void {
  const fastify = app.getHttpAdapter().getInstance();
  void fastify.register(async (scope) => {
    scope.addHook('onRequest', async (_request, reply) => {
      reply.headers(HEADERS);
    });
    await scope.register(fastifyStatic, {
      root: join(directory, 'assets'),
      prefix: '/assets/',
      index: false,
      cacheControl: false,
      dotfiles: 'ignore',
      allowedPath: (path) => !path.endsWith('/'),
      setHeaders: (reply, path) =>
        void reply.header('Cache-Control', path.endsWith(INDEX) ? 'no-cache' : NEVER_CHANGES),
    });
    scope.get('/', (request, reply) => {
      if (existsSync(join(directory, INDEX))) return reply.sendFile(INDEX, directory);
      sendProblem(reply, notBuilt(), request.id);
      return reply;
    });
  });
}

function notBuilt(): StockyardError {
  return new StockyardError({
    code: 'page_not_built',
    category: 'not_found',
    message: 'The page of the dashboard was not built; run `npm run build`. Its API is at /v1/dashboard.',
  });
}
