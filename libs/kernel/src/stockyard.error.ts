/**
 * The one error class of the platform. Everything that is refused or fails on purpose throws it; the HTTP filter
 * and the job processors map its `category` to a status or to a retry decision.
 */

/** What kind of failure this is; decides the HTTP status and whether a job is tried again. */
export type ErrorCategory =
  | 'invalid' // 400: the request itself is malformed
  | 'unauthenticated' // 401
  | 'forbidden' // 403
  | 'not_found' // 404
  | 'timed_out' // 408: it did not arrive in time
  | 'conflict' // 409: the state of the resource forbids it
  | 'precondition_failed' // 412
  | 'too_large' // 413
  | 'uri_too_long' // 414
  | 'unsupported_media' // 415
  | 'misdirected' // 421: somebody else answers this
  | 'unprocessable' // 422: well-formed, but refers to something that is not there or not allowed
  | 'precondition_required' // 428
  | 'limited' // 429
  | 'headers_too_large' // 431
  | 'unavailable' // 503: a dependency is out; retry
  | 'internal'; // 500

export interface StockyardErrorOptions {
  /** Stable machine-readable reason, snake_case; part of the public API. */
  readonly code: string;
  readonly category: ErrorCategory;
  /** What failed and what to do next. Shown to clients: never contains a secret or another tenant's data. */
  readonly message: string;
  /** The field at fault, as a path such as `lines[2].quantity`, or a header's name. */
  readonly param?: string | undefined;
  /** Safe, machine-readable facts that go into the problem document. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** Seconds after which a retry makes sense; sent as Retry-After. */
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
}

export class StockyardError extends Error {
  readonly code: string;
  readonly category: ErrorCategory;
  readonly param: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(options: StockyardErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'StockyardError';
    this.code = options.code;
    this.category = options.category;
    this.param = options.param;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
