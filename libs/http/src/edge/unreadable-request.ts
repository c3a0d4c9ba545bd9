/** Answers to requests that Node's HTTP parser gave up on: there is no request to route, only a socket to end. */
import type { Socket } from 'node:net';
import { newId, StockyardError } from '#libs/kernel';
import { problemOf } from '../problem.filter';
import type { Connections } from './connections';
import { type EdgeLimits, LINGER_BYTES, LINGER_MS } from './edge-limits';
import { uriTooLong } from './request-head';

const HEADERS_TOO_LARGE = 'HPE_HEADER_OVERFLOW';
const TIMED_OUT = 'ERR_HTTP_REQUEST_TIMEOUT';

type UnreadableLimits = Pick<EdgeLimits, 'HEADERS_LIMIT_BYTES' | 'HEADERS_TIMEOUT_MS' | 'URL_LIMIT_BYTES'>;

export interface UnreadableError {
  readonly code?: string;
  /** What the parser was given last. */
  readonly rawPacket?: Buffer;
}

export class UnreadableRequests {
  constructor(
    private readonly connections: Connections,
    private readonly limits: UnreadableLimits,
  ) {}

  /**
   * Answers, and closes when the client has had the time to read it. An answer that is on its way is not written into, and an
   * upload that takes too long is not told: what it sends next may be its end.
   */
  end(socket: Socket, error: UnreadableError): void {
    const { leaving, busy, answering } = this.connections.stateOf(socket);
    if (leaving && !socket.destroyed) return; // what comes after what could not be read
    const isTold = socket.writable && error.code !== 'ECONNRESET' && !answering && !(busy && error.code === TIMED_OUT);
    if (!isTold) {
      socket.destroy();
      return;
    }
    this.connections.leave(socket);
    socket.end(httpAnswer(this.problem(error)));
    closeSoon(socket);
  }

  private problem(error: UnreadableError): StockyardError {
    const { HEADERS_LIMIT_BYTES, HEADERS_TIMEOUT_MS } = this.limits;
    if (error.code === HEADERS_TOO_LARGE) {
      if (hasLongAddress(error.rawPacket, this.limits.URL_LIMIT_BYTES)) return uriTooLong(this.limits);
      return new StockyardError({
        code: 'headers_too_large',
        category: 'headers_too_large',
        message: `Request line and headers are larger than ${HEADERS_LIMIT_BYTES} bytes together.`,
        details: { limit_bytes: HEADERS_LIMIT_BYTES },
      });
    }
    if (error.code === TIMED_OUT) {
      return new StockyardError({
        code: 'request_timeout',
        category: 'timed_out',
        message: `The headers of the request did not arrive within ${HEADERS_TIMEOUT_MS} ms.`,
        details: { limit_ms: HEADERS_TIMEOUT_MS },
      });
    }
    return new StockyardError({
      code: 'malformed_request',
      category: 'invalid',
      message: 'The request is not valid HTTP.',
    });
  }
}

/** As far as it can be told: an address that came in several pieces is called headers too large. */
function hasLongAddress(packet: Buffer | undefined, limit: number): boolean {
  const [line] = /^[A-Z]+ [^\r\n]*/.exec(packet?.toString('latin1') ?? '') ?? [];
  return line !== undefined && line.length > limit;
}

function httpAnswer(error: StockyardError): string {
  const problem = problemOf(error, newId());
  const body = JSON.stringify(problem);
  return [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${problem.request_id}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

/** Its own half of the connection is closed; a client that does not close the other would keep it for ever. */
function closeSoon(socket: Socket): void {
  const mostBytes = socket.bytesRead + LINGER_BYTES;
  const beganAt = performance.now();
  const timer = setInterval(() => {
    if (performance.now() - beganAt >= LINGER_MS || socket.bytesRead > mostBytes) socket.destroy();
  }, LINGER_MS / 20);
  socket.once('close', () => clearInterval(timer));
}
