/**
 * What a trace shows of a request to the outside: method, host and what came of it. Never the path, the query or an address: they
 * are the tenant's. `traceparent` goes to the hosts of TRACING_OUTBOUND_HOSTS only.
 */
import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { currentWork, failSpan, traceparentOf } from '#libs/tracing';
import { OutboundError } from './outbound.error';

export class OutboundTrace {
  private constructor(
    private readonly span: Span | undefined,
    readonly headers: Readonly<Record<string, string>>,
  ) {}

  /** undefined where there is neither a span nor something to send. */
  static of(url: URL, method: string, tracedHosts: readonly string[]): OutboundTrace | undefined {
    const work = currentWork();
    if (work?.traceparent === undefined) return undefined;
    const { hostname, port, protocol } = url;
    const scheme = protocol.slice(0, -1);
    const attributes = {
      'http.request.method': method,
      'server.address': hostname,
      'server.port': port === '' ? (scheme === 'https' ? 443 : 80) : Number(port),
      'url.scheme': scheme,
    };
    const span = work.startSpan(method, { kind: SpanKind.CLIENT, attributes });
    const traceparent = span ? traceparentOf(span) : work.traceparent;
    return new OutboundTrace(span, tracedHosts.includes(hostname) ? { traceparent } : {});
  }

  end(status: number): void {
    this.span?.setAttribute('http.response.status_code', status);
    if (status >= 400) {
      this.span?.setStatus({ code: SpanStatusCode.ERROR });
      this.span?.setAttribute('error.type', String(status));
    }
    this.span?.end();
  }

  fail(error: unknown): void {
    if (!this.span) return;
    failSpan(this.span, error instanceof OutboundError ? { code: error.reason } : error);
    this.span.end();
  }
}
