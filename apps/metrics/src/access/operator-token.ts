/** Whether a request carries the operators' token: as Bearer, or, where a browser has to ask for it, as the password of HTTP Basic. */
import { credentialError } from '#libs/identity';
import { constantTimeEqual } from '#libs/kernel';

const BEARER = /^Bearer +(\S{1,4096})$/i;
const BASIC = /^Basic +([A-Za-z0-9+/]{1,8192}={0,2})$/i;

function password(authorization: string): string | undefined {
  const encoded = BASIC.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  return text.slice(text.indexOf(':') + 1); // of any user
}

/** Throws `authentication_required` and `invalid_token` (401). */
export function requireOperatorToken(
  authorization: string | undefined,
  token: string,
  { basic = false }: { readonly basic?: boolean } = {},
): void {
  if (authorization === undefined) throw credentialError('authentication_required');
  const given = BEARER.exec(authorization)?.[1] ?? (basic ? password(authorization) : undefined) ?? '';
  if (!constantTimeEqual(given, token)) throw credentialError('invalid_token');
}
