/** The credential of a request: `Authorization: Bearer …`, the only place where one is accepted. */
import { credentialError } from '../tokens/credential.error';

const BEARER = /^Bearer +([\w.~+/=-]{1,4096})$/i;

interface WithHeaders {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Throws `authentication_required` where there is none and `invalid_token` for another scheme or shape (401). */
export function bearerToken({ headers }: WithHeaders): string {
  const header = headers.authorization;
  if (header === undefined) throw credentialError('authentication_required');
  const match = typeof header === 'string' ? BEARER.exec(header) : null;
  if (!match) throw credentialError('invalid_token');
  return match[1]!;
}
