/** What a trace shows of a request to the outside, and who is sent a `traceparent`. */
import { SpanKind } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { OutsideServer } from '#libs/testing';
import { parseTraceparent, Tracing } from '#libs/tracing';
import { OutboundClient } from './outbound-client';

const BOUNDS = { connectMs: 1_000, headersMs: 1_000, totalMs: 2_000, maxBytes: 1_000 };
const OPTIONS = { allowedBlocks: ['127.0.0.1'], allowsHttp: true, userAgent: 'Stockyard/spec' };

describe('a traced request to the outside', () => {
  const server = new OutsideServer();
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const tracing = new Tracing({ tracer: provider.getTracer('spec'), ratio: 1, trustsCallers: false });
  const strangers = new OutboundClient(OPTIONS);
  const friends = new OutboundClient({ ...OPTIONS, tracedHosts: ['127.0.0.1'] });

  const ask = async (client: OutboundClient, path = '/feed?token=hidden') => {
    const work = tracing.begin({ name: 'job', kind: SpanKind.CONSUMER });
    const request = { url: server.url + path, bounds: BOUNDS, headers: { authorization: 'hidden' } };
    const answer = await work.run(() => client.request(request)).catch((error: unknown) => error as Error);
    const [span] = exporter.getFinishedSpans();
    return { work, answer, span: span! };
  };

  beforeAll(() => server.start());
  afterAll(() => server.stop());
  beforeEach(() => {
    exporter.reset();
    server.requests.length = 0;
    server.answer = (_, response) => response.writeHead(200).end('{}');
  });

  it('has a span below the work with host and status, and nothing that is the tenant’s', async () => {
    const { work, span } = await ask(strangers);
    expect(span.parentSpanContext?.spanId).toBe(work.ids.spanId);
    expect([span.name, span.kind]).toEqual(['GET', SpanKind.CLIENT]);
    expect(span.attributes).toEqual({
      ...{ 'http.request.method': 'GET', 'server.address': '127.0.0.1', 'url.scheme': 'http' },
      ...{ 'server.port': Number(new URL(server.url).port), 'http.response.status_code': 200 },
    });
  });

  it('tells strangers nothing of its trace', async () => {
    await ask(strangers);
    expect(server.requests[0]!.headers).not.toHaveProperty('traceparent');
  });

  it('goes on at the hosts that are named', async () => {
    const { work, span } = await ask(friends);
    const sent = parseTraceparent(server.requests[0]!.headers.traceparent);
    expect(sent).toEqual({ traceId: work.ids.traceId, spanId: span.spanContext().spanId, sampled: true });
  });

  it('has failed where it did', async () => {
    server.answer = (_, response) => response.socket!.destroy();
    expect((await ask(strangers)).span).toMatchObject({
      status: { code: 2 },
      attributes: { 'error.type': 'unreachable' },
    });
    exporter.reset();
    server.answer = (_, response) => response.writeHead(503).end();
    expect((await ask(strangers)).span).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': '503' } });
  });

  it('sends and shows nothing outside of traced work', async () => {
    await friends.request({ url: server.url, bounds: BOUNDS });
    expect(server.requests[0]!.headers).not.toHaveProperty('traceparent');
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
