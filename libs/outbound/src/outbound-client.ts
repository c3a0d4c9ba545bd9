/**
 * HTTP to addresses that strangers name: to public addresses only, over a connection to an address that was checked, within bounds
 * of time and bytes. Redirects are answers like any other. Each request has a connection of its own. Knows nothing of what
 * it is used for.
 */
import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { AddressGuard } from './address-guard';
import { ACCEPTED_ENCODINGS, boundedBody } from './bounded-body';
import { HostResolver } from './host-resolver';
import { OutboundError } from './outbound.error';
import { OutboundTrace } from './outbound-trace';
import { checkedUrl, hostOf, refusedAddress, type UrlRules } from './outbound-url';
import { type OutboundBounds, Patience } from './patience';

export interface OutboundRequest {
  readonly url: string;
  /** GET where omitted. */
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly bounds: OutboundBounds;
  /** Ends the request with `outbound_stopped`. */
  readonly signal?: AbortSignal;
}

export interface OutboundResponse {
  /** 100 to 599, redirects included. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface OutboundOptions {
  /** Blocks of addresses that may be reached although they are not public. */
  readonly allowedBlocks?: readonly string[];
  readonly allowsHttp?: boolean;
  /** Hosts that are sent a `traceparent`, in lower case: it tells nobody else which of our requests belong together. */
  readonly tracedHosts?: readonly string[];
  /** What the other side reads as User-Agent. */
  readonly userAgent: string;
  /** Instead of the machine's name servers. */
  readonly dnsServers?: readonly string[];
  /** Certificates of authorities, PEM, instead of those that Node comes with. */
  readonly ca?: string;
}

type Headers = Readonly<Record<string, string>>;

const MAX_HEADER_BYTES = 16_384;
/** Of several addresses, until the next one is tried. */
const NEXT_ADDRESS_MS = 1_000;

/** What sockets and TLS say where the certificate does not fit. */
const UNTRUSTED = /^(ERR_TLS_|CERT_|DEPTH_ZERO_SELF|SELF_SIGNED|UNABLE_TO_)|_CERT/;

export class OutboundClient {
  private readonly rules: UrlRules;
  private readonly resolver: HostResolver;

  constructor(private readonly options: OutboundOptions) {
    this.rules = { guard: new AddressGuard(options.allowedBlocks), allowsHttp: options.allowsHttp ?? false };
    this.resolver = new HostResolver({ servers: options.dnsServers });
  }

  /** What can be refused of a URL without asking anybody; see checkedUrl. */
  check(url: string): void {
    checkedUrl(url, this.rules);
  }

  /** Throws OutboundError where there is no whole answer. */
  async request(request: OutboundRequest): Promise<OutboundResponse> {
    const url = checkedUrl(request.url, this.rules);
    const trace = OutboundTrace.of(url, request.method ?? 'GET', this.options.tracedHosts ?? []);
    try {
      const response = await this.exchange(url, request, trace?.headers);
      trace?.end(response.status);
      return response;
    } catch (error) {
      trace?.fail(error);
      throw error;
    }
  }

  private async exchange(url: URL, request: OutboundRequest, traceHeaders?: Headers): Promise<OutboundResponse> {
    const patience = new Patience(request.bounds, request.signal);
    let message: IncomingMessage | undefined;
    try {
      message = await this.headersOf(await this.open(url, request, patience.signal, traceHeaders), patience);
      const body = await boundedBody(message, request.bounds.maxBytes);
      return { status: message.statusCode ?? 0, headers: message.headers, body };
    } catch (error) {
      throw patience.signal.aborted ? patience.signal.reason : outboundErrorOf(error, url.host);
    } finally {
      patience.end();
      message?.destroy();
    }
  }

  private async open(
    url: URL,
    request: OutboundRequest,
    signal: AbortSignal,
    traceHeaders?: Headers,
  ): Promise<ClientRequest> {
    const { method = 'GET', headers, body, bounds } = request;
    const host = hostOf(url);
    const addresses = await this.resolver.addresses(host, Math.ceil(bounds.connectMs / 3), signal);
    // All of them: which one answers is the choice of whoever runs the host.
    if (!addresses.every((address) => this.rules.guard.mayReach(address))) throw refusedAddress(host);
    const isHttps = url.protocol === 'https:';
    const opened = (isHttps ? httpsRequest : httpRequest)({
      ...{ method, host, path: `${url.pathname}${url.search}`, signal, maxHeaderSize: MAX_HEADER_BYTES },
      port: url.port === '' ? (isHttps ? 443 : 80) : Number(url.port),
      headers: {
        ...headers,
        ...traceHeaders,
        host: url.host,
        'user-agent': this.options.userAgent,
        'accept-encoding': ACCEPTED_ENCODINGS,
        ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
      },
      agent: false,
      lookup: fixedLookup(addresses),
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
      ...(isHttps && { servername: isIP(host) === 0 ? host : '', ca: this.options.ca }),
    } as RequestOptions);
    return opened.end(body);
  }

  private headersOf(opened: ClientRequest, patience: Patience): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      opened.on('error', reject);
      opened.on('socket', (socket) => {
        socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => patience.over('connect'));
      });
      opened.on('response', (message) => {
        patience.over('headers');
        resolve(message);
      });
    });
  }
}

/** The addresses that were checked, whatever is asked: nothing is resolved a second time. */
function fixedLookup(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, { all }, callback) => {
    if (all) callback(null, found);
    else callback(null, found[0]!.address, found[0]!.family);
  };
}

function outboundErrorOf(error: unknown, host: string): unknown {
  if (error instanceof OutboundError || typeof error !== 'object' || error === null) return error;
  const { code = '' } = error as { readonly code?: string };
  const options = { cause: error };
  if (UNTRUSTED.test(code))
    return new OutboundError('untrusted', `The certificate of ${host} is not good: ${code}.`, options);
  if (code.startsWith('HPE_'))
    return new OutboundError('unreadable', `${host} answers with what is not HTTP.`, options);
  if (/^E[A-Z]+$/.test(code))
    return new OutboundError('unreachable', `The connection with ${host} failed: ${code}.`, options);
  return error;
}
