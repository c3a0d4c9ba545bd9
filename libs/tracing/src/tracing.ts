/**
 * Where work begins. With a tracer, each begins with a span that is recorded or not, as its sampler says; without one, work
 * only has ids for the log. Injection token of the process's tracing.
 */
import { randomFillSync } from 'node:crypto';
import {
  type Attributes,
  type Context,
  type Link,
  ROOT_CONTEXT,
  type SpanKind,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import { parseTraceparent, type TraceIds } from './traceparent';
import { Work, type WorkFacts } from './work';

export interface TracingOptions {
  readonly tracer: Tracer;
  /** Share of the traces that begin here which are recorded, 0 to 1. */
  readonly ratio: number;
  /** Whether callers from outside decide what is recorded of their traces. */
  readonly trustsCallers: boolean;
}

export interface WorkPlan {
  /** Of the span; few of them. */
  readonly name: string;
  readonly kind: SpanKind;
  /** What it continues. Default: a trace of its own. */
  readonly parent?: TraceIds | undefined;
  readonly links?: readonly TraceIds[];
  readonly attributes?: Attributes;
  readonly facts?: WorkFacts;
}

const NO_FACTS: WorkFacts = {};
const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
/** Drawn ahead: one call for many ids. */
const random = Buffer.alloc(8_192);
let used = random.length;

function randomHex(bytes: number): string {
  if (used + bytes > random.length) {
    randomFillSync(random);
    used = 0;
  }
  used += bytes;
  return random.toString('hex', used - bytes, used);
}

export class Tracing {
  constructor(private readonly options?: TracingOptions) {}

  get isOn(): boolean {
    return this.options !== undefined;
  }

  /**
   * What an outside caller's `traceparent` makes of a trace: its id stays, so that logs on both sides meet. Whether it is recorded
   * is decided here and by chance, not by the id, which the caller chose too, unless callers are trusted.
   */
  ofCaller(header: unknown): TraceIds | undefined {
    const given = header === undefined ? undefined : parseTraceparent(header);
    if (!given || !this.options || this.options.trustsCallers) return given;
    return { ...given, sampled: Math.random() < this.options.ratio };
  }

  begin({ name, kind, parent, links = [], attributes, facts = NO_FACTS }: WorkPlan): Work {
    const { tracer } = this.options ?? {};
    if (!tracer) return this.unrecorded(parent, facts);
    const options = { kind, links: links.map(linkTo), ...(attributes && { attributes }) };
    const span = tracer.startSpan(name, options, parent ? contextOf(parent) : ROOT_CONTEXT);
    const { traceId, spanId, traceFlags } = span.spanContext();
    const sampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
    return new Work({ traceId, spanId, sampled }, facts, tracer, span.isRecording() ? span : undefined);
  }

  /** Work of which nothing is ever recorded: it has ids for the log. */
  unrecorded(parent?: TraceIds, facts: WorkFacts = NO_FACTS): Work {
    const traceId = parent?.traceId ?? randomHex(TRACE_ID_BYTES);
    const recordedElsewhere = !this.isOn && parent?.sampled === true;
    const ids = { traceId, spanId: randomHex(SPAN_ID_BYTES), sampled: false };
    return new Work(ids, facts, undefined, undefined, recordedElsewhere);
  }
}

export const NO_TRACING = new Tracing();

function spanContextOf({ traceId, spanId, sampled }: TraceIds) {
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true };
}

function contextOf(parent: TraceIds): Context {
  return trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent));
}

function linkTo(ids: TraceIds): Link {
  return { context: spanContextOf(ids) };
}
