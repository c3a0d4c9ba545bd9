/**
 * Verifies AWS Signature Version 4 as S3 does, in the header or in the query (Amazon S3 API reference, "Authenticating
 * Requests"). Written from the specification, so that a client's own mistake shows.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export interface SignedRequest {
  readonly method: string;
  /** As sent: path and query, still encoded. */
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/** Code of the error response; undefined for a request that is signed as it should be. */
export type SignatureFault =
  | 'AccessDenied'
  | 'InvalidAccessKeyId'
  | 'SignatureDoesNotMatch'
  | 'AuthorizationHeaderMalformed'
  | 'RequestTimeTooSkewed'
  | 'XAmzContentSHA256Mismatch';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const UNSIGNED = 'UNSIGNED-PAYLOAD';
const SKEW_MS = 15 * 60_000;

interface Claim {
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly time: string;
  readonly payload: string;
  readonly expiresSeconds: number | undefined;
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

function claimOf({ url, headers }: SignedRequest): Claim | undefined {
  const query = url.searchParams;
  if (query.get('X-Amz-Algorithm') === ALGORITHM) {
    return {
      credential: query.get('X-Amz-Credential') ?? '',
      signedHeaders: query.get('X-Amz-SignedHeaders') ?? '',
      signature: query.get('X-Amz-Signature') ?? '',
      time: query.get('X-Amz-Date') ?? '',
      payload: UNSIGNED,
      expiresSeconds: Number(query.get('X-Amz-Expires')),
    };
  }
  const match = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
    headers.authorization ?? '',
  );
  if (!match) return undefined;
  const [, credential = '', signedHeaders = '', signature = ''] = match;
  const [time, payload] = [headers['x-amz-date'], headers['x-amz-content-sha256']].map(String) as [string, string];
  return { credential, signedHeaders, signature, time, payload, expiresSeconds: undefined };
}

function canonicalRequest({ method, url, headers }: SignedRequest, { signedHeaders, payload }: Claim): string {
  const query = [...url.searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const path = url.pathname
    .split('/')
    .map((part) => encode(decodeURIComponent(part)))
    .join('/');
  const lines = signedHeaders
    .split(';')
    .map((name) => `${name}:${String(headers[name]).trim().replace(/\s+/g, ' ')}\n`);
  return [method, path, query, lines.join(''), signedHeaders, payload].join('\n');
}

function inTime(time: string, expiresSeconds: number | undefined): boolean {
  const signedAt = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  const age = Date.now() - signedAt;
  return expiresSeconds === undefined ? Math.abs(age) <= SKEW_MS : age >= -SKEW_MS && age < expiresSeconds * 1_000;
}

export function signatureFault(request: SignedRequest, credentials: Credentials): SignatureFault | undefined {
  const claim = claimOf(request);
  if (!claim) return 'AccessDenied';
  const [accessKeyId, day = '', region, service, end] = claim.credential.split('/');
  if (accessKeyId !== credentials.accessKeyId) return 'InvalidAccessKeyId';
  if (region !== credentials.region || service !== 's3' || end !== 'aws4_request' || !claim.time.startsWith(day))
    return 'AuthorizationHeaderMalformed';
  if (!claim.signedHeaders.split(';').includes('host')) return 'SignatureDoesNotMatch';
  const scope = [day, region, service, end].join('/');
  const text = [ALGORITHM, claim.time, scope, sha256(canonicalRequest(request, claim))].join('\n');
  const key = [region, service, end].reduce(hmac, hmac(`AWS4${credentials.secretAccessKey}`, day));
  const [expected, given] = [hmac(key, text), Buffer.from(claim.signature, 'hex')];
  if (given.length !== expected.length || !timingSafeEqual(expected, given)) return 'SignatureDoesNotMatch';
  if (!inTime(claim.time, claim.expiresSeconds))
    return claim.expiresSeconds === undefined ? 'RequestTimeTooSkewed' : 'AccessDenied';
  const bodyMatches = claim.payload === UNSIGNED || claim.payload === sha256(request.body);
  return bodyMatches ? undefined : 'XAmzContentSHA256Mismatch';
}
