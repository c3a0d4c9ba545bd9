/** Refusals of credentials. All are 401; only who proved the secret learns that it is expired or revoked. */
import { StockyardError } from '#libs/kernel';

export type CredentialProblem =
  | 'authentication_required'
  | 'invalid_token'
  | 'token_expired'
  | 'token_revoked'
  | 'api_key_revoked'
  | 'api_key_expired'
  | 'refresh_token_reused'
  | 'invalid_credentials';

const MESSAGES: Readonly<Record<CredentialProblem, string>> = {
  authentication_required: 'Send Authorization: Bearer with an API key or an access token.',
  invalid_token: 'The credential is not valid; check that it is complete and meant for this API.',
  token_expired: 'The token has expired; log in again or refresh it.',
  token_revoked: 'The session has ended; log in again.',
  api_key_revoked: 'The API key was revoked; use another one.',
  api_key_expired: 'The API key has expired; make a new one.',
  refresh_token_reused: 'The refresh token was used before; its session is ended. Log in again.',
  invalid_credentials: 'Organization, e-mail or password are not right.',
};

export function credentialError(code: CredentialProblem): StockyardError {
  return new StockyardError({ code, category: 'unauthenticated', message: MESSAGES[code] });
}
