/** What a connection shows the outside system to be let in. */
import { StockyardError } from '#libs/kernel';

export interface Credentials {
  readonly bearer_token: string | null;
  /** Name → value. */
  readonly headers: Readonly<Record<string, string>>;
}

export const NO_CREDENTIALS: Credentials = { bearer_token: null, headers: {} };

/** Headers that say how a message is sent, or are the platform's own to send. */
const RESERVED = new Set([
  ...['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'keep-alive', 'expect'],
  ...['proxy-authorization', 'proxy-connection', 'accept', 'accept-encoding', 'user-agent', 'content-type'],
]);

function refused(param: string, message: string): StockyardError {
  return new StockyardError({ code: 'invalid_value', category: 'invalid', param, message });
}

/** Throws `invalid_value` (400) for headers that may not be set, or stand twice. */
export function checkCredentials({ bearer_token, headers }: Credentials): Credentials {
  const seen = new Set<string>();
  for (const name of Object.keys(headers)) {
    const lower = name.toLowerCase();
    const param = `headers.${name}`;
    if (RESERVED.has(lower)) throw refused(param, `${name} is set by the platform; leave it out.`);
    if (seen.has(lower)) throw refused(param, `${name} stands twice; leave one out.`);
    if (lower === 'authorization' && bearer_token !== null)
      throw refused(param, 'Give bearer_token or the header Authorization, one of them.');
    seen.add(lower);
  }
  return { bearer_token, headers };
}

/** As they are sent. */
export function headersOf({ bearer_token, headers }: Credentials): Record<string, string> {
  return { ...headers, ...(bearer_token !== null && { authorization: `Bearer ${bearer_token}` }) };
}
