/**
 * The one filter: every error becomes an RFC 9457 problem document with `code`, `param` and `request_id`. What was not
 * thrown on purpose is logged whole and answered as a bare 500.
 */
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import { type ErrorCategory, StockyardError } from '#libs/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';

export interface ProblemDocument {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly param?: string;
  readonly request_id: string;
  readonly [detail: string]: unknown;
}

const STATUS: Readonly<Record<ErrorCategory, readonly [status: number, title: string]>> = {
  invalid: [400, 'Bad Request'],
  unauthenticated: [401, 'Unauthorized'],
  forbidden: [403, 'Forbidden'],
  not_found: [404, 'Not Found'],
  timed_out: [408, 'Request Timeout'],
  conflict: [409, 'Conflict'],
  precondition_failed: [412, 'Precondition Failed'],
  too_large: [413, 'Content Too Large'],
  uri_too_long: [414, 'URI Too Long'],
  unsupported_media: [415, 'Unsupported Media Type'],
  misdirected: [421, 'Misdirected Request'],
  unprocessable: [422, 'Unprocessable Content'],
  precondition_required: [428, 'Precondition Required'],
  limited: [429, 'Too Many Requests'],
  headers_too_large: [431, 'Request Header Fields Too Large'],
  unavailable: [503, 'Service Unavailable'],
  internal: [500, 'Internal Server Error'],
};

const FRAMEWORK: Readonly<Record<number, readonly [category: ErrorCategory, code: string, message?: string]>> = {
  400: ['invalid', 'malformed_request'],
  404: ['not_found', 'not_found', 'There is nothing at this address.'],
  405: ['invalid', 'method_not_allowed'],
  408: ['timed_out', 'request_timeout'],
  413: ['too_large', 'body_too_large', 'The body is larger than this endpoint takes.'],
  // Fastify says it of one part of the path; of the whole, see edge/request-head.ts.
  414: ['invalid', 'invalid_value', 'A part of the path is longer than anything that it could name.'],
  415: ['unsupported_media', 'unsupported_media_type', 'Send the Content-Type that this endpoint documents.'],
  429: ['limited', 'rate_limit_exceeded'],
  431: ['headers_too_large', 'headers_too_large'],
};

/** Nest hands Fastify's errors on as exceptions that kept the message and lost the code. */
const MALFORMED_JSON = /not valid JSON|Unexpected .* JSON|body cannot be empty/i;

interface StatusError {
  readonly statusCode?: number;
  readonly message?: string;
}

/** What any thrown value means for the client. */
export function toStockyardError(thrown: unknown): StockyardError {
  if (thrown instanceof StockyardError) return thrown;
  const error = (thrown ?? {}) as StatusError;
  const status = thrown instanceof HttpException ? thrown.getStatus() : (error.statusCode ?? 500);
  if (status === 400 && MALFORMED_JSON.test(error.message ?? '')) {
    return new StockyardError({
      code: 'malformed_json',
      category: 'invalid',
      param: 'body',
      message: 'The body is not valid JSON.',
      cause: thrown,
    });
  }
  const known =
    FRAMEWORK[status] ?? (status >= 400 && status < 500 ? (['invalid', 'bad_request'] as const) : undefined);
  if (known) {
    const [category, code, message] = known;
    return new StockyardError({ code, category, message: message ?? error.message ?? code, cause: thrown });
  }
  return new StockyardError({
    code: 'internal_error',
    category: 'internal',
    message: 'Something failed on our side; the request_id names the log entry.',
    cause: thrown,
  });
}

/** The body of an answer to an error. */
export function problemOf(error: StockyardError, requestId: string): ProblemDocument {
  const [status, title] = STATUS[error.category];
  return {
    type: 'about:blank',
    title,
    status,
    code: error.code,
    detail: status === 500 ? 'Something failed on our side; the request_id names the log entry.' : error.message,
    ...(error.param === undefined ? {} : { param: error.param }),
    request_id: requestId,
    ...(status === 500 ? {} : error.details),
  };
}

/** Answers with a problem document. */
export function sendProblem(reply: FastifyReply, error: StockyardError, requestId: string): void {
  const problem = problemOf(error, requestId);
  if (error.retryAfterSeconds !== undefined) reply.header('Retry-After', String(Math.ceil(error.retryAfterSeconds)));
  if (problem.status === 401) reply.header('WWW-Authenticate', 'Bearer');
  if (problem.status === 421) reply.headers(directions(problem, reply.request.url));
  void reply.status(problem.status).header('Content-Type', 'application/problem+json').send(JSON.stringify(problem));
}

/** Where the same request is answered. What is elsewhere today may be here tomorrow, so nobody keeps it. */
function directions({ endpoint }: ProblemDocument, url: string): Record<string, string> {
  return { 'Cache-Control': 'no-store', ...(typeof endpoint === 'string' && { Location: endpoint + url }) };
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  catch(thrown: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw thrown;
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const error = toStockyardError(thrown);
    if (STATUS[error.category][0] >= 500) {
      const cause = error.cause ?? error;
      this.logger.error({ request_id: request.id, code: error.code, err: cause }, error.message);
    }
    sendProblem(reply, error, request.id);
  }
}
