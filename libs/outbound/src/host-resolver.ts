/**
 * Addresses of a host name, asked of the name servers with a bound on time. getaddrinfo would hold a thread of the pool that files
 * and other look-ups share for as long as a stranger's name server takes.
 */
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { OutboundError } from './outbound.error';

/** There is a name, and nothing at it: no reason to ask again. */
const NO_ADDRESS = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME', 'EBADQUERY']);
/** RFC 6761: never asked of a name server. */
const LOCALHOST = /(^|\.)localhost\.?$/i;

const TRIES = 2;

export interface ResolverOptions {
  /** Instead of those of the machine: `address` or `address:port`. */
  readonly servers?: readonly string[] | undefined;
}

export class HostResolver {
  constructor(private readonly options: ResolverOptions = {}) {}

  /**
   * All addresses of a host, IPv6 in no brackets; of an address itself, that. `tryMs` is the patience with one question. Throws
   * OutboundError; after an abort of the signal, soon and anything.
   */
  async addresses(host: string, tryMs: number, signal: AbortSignal): Promise<string[]> {
    if (isIP(host) !== 0) return [host];
    if (LOCALHOST.test(host)) return ['127.0.0.1', '::1'];
    const resolver = new Resolver({ timeout: tryMs, tries: TRIES });
    if (this.options.servers) resolver.setServers(this.options.servers);
    const cancel = () => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
      const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
      if (found.length > 0) return found;
      throw refusal(host, answers);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }
}

function refusal(host: string, answers: readonly PromiseSettledResult<string[]>[]): OutboundError {
  const failures = answers.flatMap((answer) =>
    answer.status === 'rejected' ? [answer.reason as { code?: string }] : [],
  );
  const [cause] = failures;
  return failures.every(({ code = '' }) => NO_ADDRESS.has(code))
    ? new OutboundError('unknown_host', `There is no address for the host ${host}.`, { param: 'url', cause })
    : new OutboundError('unresolved', `The name servers did not tell the address of ${host}.`, { cause });
}
