/** The HTTP server of a process, with Node's own bounds set and its connections watched. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Connections } from './connections';
import type { EdgeLimits } from './edge-limits';
import { SlowReaders } from './slow-readers';
import { type UnreadableError, UnreadableRequests } from './unreadable-request';

/** Connections beyond the limit that are still told so; more are closed unheard. */
const SURPLUS_SHARE = 0.1;
const SURPLUS_LEAST = 20;
/** Timeouts are this much late at most, in shares of the shortest. */
const CHECKS_PER_TIMEOUT = 10;
const LONGEST_CHECK_MS = 1_000;
/** An upload has bounds of its own that tell the client; Node's, which cannot, is behind them. */
const BEHIND_UPLOADS_MS = 60_000;

export function edgeServer(handle: RequestListener, connections: Connections, limits: EdgeLimits): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.HEADERS_LIMIT_BYTES,
      headersTimeout: limits.HEADERS_TIMEOUT_MS,
      requestTimeout: Math.max(limits.HEADERS_TIMEOUT_MS, limits.UPLOAD_TIMEOUT_MS + BEHIND_UPLOADS_MS),
      keepAliveTimeout: limits.KEEP_ALIVE_MS,
      connectionsCheckingInterval: Math.min(LONGEST_CHECK_MS, limits.HEADERS_TIMEOUT_MS / CHECKS_PER_TIMEOUT),
    },
    (request: IncomingMessage, response) => {
      if (connections.begin(request, response)) handle(request, response);
    },
  );
  server.maxHeadersCount = 0; // HEADERS_LIMIT_BYTES bounds them, and HEADERS_LIMIT with an answer; older Nodes drop the rest unsaid
  server.maxConnections = limits.CONNECTIONS_LIMIT + Math.max(SURPLUS_LEAST, limits.CONNECTIONS_LIMIT * SURPLUS_SHARE);
  const slowReaders = new SlowReaders(limits);
  const unreadable = new UnreadableRequests(connections, limits);
  server.on('connection', (socket: Socket) => {
    connections.accept(socket);
    slowReaders.watch(socket);
  });
  server.on('clientError', (error: UnreadableError, socket) => unreadable.end(socket as Socket, error));
  return server;
}
