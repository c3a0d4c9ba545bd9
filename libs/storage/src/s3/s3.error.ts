/** What an error of the client means here. */
import { StockyardError } from '#libs/kernel';
import { fileNotFound, StorageRefusedError, StorageUnavailableError } from '../file.error';

interface ClientError {
  readonly name?: string;
  /** On whatever a request ended with, also where no answer came. */
  readonly $metadata?: { readonly httpStatusCode?: number };
}

export const NO_BUCKET = 'The object store has no such bucket: check STORAGE_S3_BUCKET and STORAGE_S3_ENDPOINT.';

/** Codes of S3's error responses (API reference, "Error responses"); a HEAD has only its status. */
const REASONS: readonly (readonly [codes: RegExp, reason: string])[] = [
  [
    /^(?:InvalidAccessKeyId|SignatureDoesNotMatch|AuthorizationHeaderMalformed|InvalidToken|ExpiredToken)$/,
    'The object store refuses the credentials: check STORAGE_S3_ACCESS_KEY_ID, STORAGE_S3_SECRET_ACCESS_KEY and STORAGE_S3_REGION.',
  ],
  [/^NoSuchBucket$/, NO_BUCKET],
  [
    /^(?:PermanentRedirect|AuthorizationQueryParametersError|IllegalLocationConstraintException)$/,
    'The bucket is elsewhere: check STORAGE_S3_REGION and STORAGE_S3_ENDPOINT.',
  ],
  [/^RequestTimeTooSkewed$/, 'The clocks of this machine and of the object store differ by too much.'],
];
const FORBIDDEN =
  'The object store refuses the request: check STORAGE_S3_ACCESS_KEY_ID, STORAGE_S3_SECRET_ACCESS_KEY, and the rights that they have on STORAGE_S3_BUCKET.';

const statusOf = (error: unknown): number | undefined => (error as ClientError).$metadata?.httpStatusCode;
const nameOf = (error: unknown): string => (error as ClientError).name ?? '';

export function isMissingObject(error: unknown): boolean {
  return nameOf(error) === 'NoSuchKey' || nameOf(error) === 'NotFound';
}

/** A range that begins behind the last byte. */
export function isBeyondEnd(error: unknown): boolean {
  return statusOf(error) === 416;
}

/** Of the 4xx those that another try may mend: time-outs, conflicts of simultaneous requests, objects that changed, throttling. */
const PASSING = new Set([408, 409, 412, 429]);

/** The store, or the way to it: anything else that was thrown is a fault of this program. */
function isOutage(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== undefined) return status >= 500 || PASSING.has(status) || nameOf(error) === 'RequestTimeout';
  return (error as ClientError).$metadata !== undefined || /^(?:TimeoutError|AbortError)$/.test(nameOf(error));
}

/**
 * Of the client's errors: a missing object is `file_not_found`; what an operator must put right is a StorageRefusedError; an
 * outage is `storage_unavailable`. Every other error stays what it is.
 */
export function translate(error: unknown): unknown {
  if (error instanceof StockyardError) return error;
  const known = REASONS.find(([codes]) => codes.test(nameOf(error)));
  if (known) return new StorageRefusedError(known[1], error);
  if (isMissingObject(error)) return fileNotFound(error);
  if (statusOf(error) === 403 || statusOf(error) === 401) return new StorageRefusedError(FORBIDDEN, error);
  return isOutage(error) ? new StorageUnavailableError(error) : error;
}
