/** How a request's path may be shown in logs and spans. */

/** Links to files hold all that is needed to have them. */
const SEALED_PATH = /(\/v1\/files\/).+$/s;
/** The router takes `http://host/path` for a path. */
const AUTHORITY = /^[a-z][a-z\d+.-]*:\/\/[^/]*/i;
const ENCODED_ASCII = /%([0-7][\da-f])/gi;
/** Probes and scrapes come every few seconds and say nothing while they succeed. */
const QUIET_PATHS = /^\/(?:live|ready|health|metrics|api\/(?:health|ready))$/;

/**
 * The path of a request without what opens something: its query, which may hold a signature, and the seal of a link, however
 * the client has written the path. It is decoded as far as the router does, which finds a route by the decoded path.
 */
export function shownPath(url: string | undefined): string {
  const [raw] = (url ?? '').replace(AUTHORITY, '').split(/[?#]/, 1);
  const decoded = raw!.replace(ENCODED_ASCII, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return decoded.replace(SEALED_PATH, '$1[redacted]');
}

/** Whether it is a probe or a scrape. */
export function isQuietPath(url: string | undefined): boolean {
  return QUIET_PATHS.test(shownPath(url));
}
