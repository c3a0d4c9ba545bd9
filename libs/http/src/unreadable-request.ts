/** Answers to requests that Node's HTTP parser gave up on: there is no request to route, only a socket to end. */
import type { Socket } from 'node:net';
import { newId, StockyardError } from '#libs/kernel';
import { problemOf } from './problem.filter';

const HEADERS_TOO_LARGE = 'HPE_HEADER_OVERFLOW';
const TIMED_OUT = 'ERR_HTTP_REQUEST_TIMEOUT';

function answerTo(code: string | undefined): readonly [line: string, error: StockyardError] {
  if (code === HEADERS_TOO_LARGE) {
    const message = 'The headers are larger than this server takes.';
    return [
      '431 Request Header Fields Too Large',
      new StockyardError({ code: 'headers_too_large', category: 'invalid', message }),
    ];
  }
  if (code === TIMED_OUT) {
    const message = 'The request took too long to arrive.';
    return ['408 Request Timeout', new StockyardError({ code: 'request_timeout', category: 'invalid', message })];
  }
  const message = 'The request is not valid HTTP.';
  return ['400 Bad Request', new StockyardError({ code: 'malformed_request', category: 'invalid', message })];
}

export function endUnreadable(socket: Socket, error: { readonly code?: string }): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const [line, problem] = answerTo(error.code);
  const body = JSON.stringify({
    ...problemOf(problem, newId()),
    title: line.slice(4),
    status: Number(line.slice(0, 3)),
  });
  socket.end(
    `HTTP/1.1 ${line}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
