import { SpanKind, type Tracer } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { parseTraceparent } from './traceparent';
import { NO_TRACING, Tracing } from './tracing';
import { currentWork } from './work';

const CALLER = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const exporter = new InMemorySpanExporter();
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
const tracer: Tracer = provider.getTracer('spec');
const plan = { name: 'work', kind: SpanKind.SERVER };

describe('tracing that is off', () => {
  it('has ids for the log, of the caller or of its own, and records and hands on nothing', () => {
    const work = NO_TRACING.begin({ ...plan, parent: NO_TRACING.ofCaller(CALLER) });
    expect(work.ids.traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
    expect(work.ids.spanId).not.toBe('00f067aa0ba902b7');
    expect([work.span, work.traceparent, work.startSpan('below', {})]).toEqual([undefined, undefined, undefined]);
    expect(work.exemplar).toBe(work.ids.traceId); // the caller says that it records it
    const unsampled = NO_TRACING.ofCaller(CALLER.replace(/1$/, '0'));
    expect([NO_TRACING.begin({ ...plan, parent: unsampled }).exemplar, NO_TRACING.begin(plan).exemplar]).toEqual([
      undefined,
      undefined,
    ]);
    const ids = Array.from({ length: 2_000 }, () => NO_TRACING.begin(plan).ids);
    expect(new Set(ids.flatMap(({ traceId, spanId }) => [traceId, spanId])).size).toBe(4_000);
    for (const { traceId, spanId } of ids) expect(`${traceId}-${spanId}`).toMatch(/^[\da-f]{32}-[\da-f]{16}$/);
  });
});

describe('tracing that is on', () => {
  const tracing = (ratio: number, trustsCallers = false) => new Tracing({ tracer, ratio, trustsCallers });

  it('carries its work through awaits, each its own, and has spans below it', async () => {
    exporter.reset();
    const works = [1, 2].map(() => tracing(1).begin(plan));
    await Promise.all(
      works.map((work) =>
        work.run(async () => {
          await new Promise(setImmediate);
          expect(currentWork()).toBe(work);
          currentWork()!.startSpan('below', {})!.end();
          work.span!.end();
        }),
      ),
    );
    expect(currentWork()).toBeUndefined();
    const spans = exporter.getFinishedSpans();
    for (const { ids } of works) {
      const below = spans.find(
        ({ name, parentSpanContext: parent }) => name === 'below' && parent?.spanId === ids.spanId,
      );
      expect(below?.spanContext().traceId).toBe(ids.traceId);
      expect(parseTraceparent(works[0]!.traceparent)).toEqual(works[0]!.ids);
    }
    expect(works[0]!.ids.traceId).not.toBe(works[1]!.ids.traceId);
  });

  it('does not let a caller decide what is recorded, whatever trace it names', () => {
    expect(tracing(0).ofCaller(CALLER)).toMatchObject({ sampled: false });
    const unsampled = CALLER.replace(/01$/, '00');
    expect(tracing(1).ofCaller(unsampled)).toMatchObject({ sampled: true });
    const sampled = Array.from({ length: 2_000 }, () => tracing(0.25).ofCaller(CALLER)!.sampled).filter(Boolean).length;
    expect(sampled / 2_000).toBeGreaterThan(0.18);
    expect(sampled / 2_000).toBeLessThan(0.32);
  });

  it('lets a trusted caller decide, and ignores what is no traceparent', () => {
    expect(tracing(0, true).ofCaller(CALLER)).toMatchObject({ sampled: true });
    expect(tracing(1, true).ofCaller(CALLER.replace(/01$/, '00'))).toMatchObject({ sampled: false });
    for (const header of [undefined, 'x', [CALLER]]) expect(tracing(1, true).ofCaller(header)).toBeUndefined();
  });

  it('hands on that nothing is recorded, and records nothing below', () => {
    const work = tracing(0).begin({ ...plan, parent: tracing(0).ofCaller(CALLER) });
    expect(work.span).toBeUndefined();
    expect(work.startSpan('below', {})).toBeUndefined();
    expect(work.traceparent).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[\da-f]{16}-00$/);
  });
});
