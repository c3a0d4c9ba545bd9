/**
 * A piece of work with a trace of its own or a part in somebody else's: a request, a delivery of a job. It is carried through
 * every await, has ids for the log whether or not anything is recorded, and is the parent of the spans below it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import { formatTraceparent, type TraceIds } from './traceparent';

/** What stands in each line that is logged meanwhile, beside the ids. */
export type WorkFacts = Readonly<Record<string, string>>;

const underWay = new AsyncLocalStorage<Work>();

/** The work that this code belongs to; undefined in what the process does of itself (probes of nodes, upkeep). */
export function currentWork(): Work | undefined {
  return underWay.getStore();
}

/** What work that a span causes elsewhere continues. */
export function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return formatTraceparent({ traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 });
}

export class Work {
  private readonly context: Context | undefined;

  /**
   * `tracer`: of a tracing that is on. `span`: only where it is recorded. `recordedElsewhere`: nothing is recorded here, but a caller
   * says that it records this trace.
   */
  constructor(
    readonly ids: TraceIds,
    readonly facts: WorkFacts,
    private readonly tracer?: Tracer,
    readonly span?: Span,
    private readonly recordedElsewhere = false,
  ) {
    this.context = span && trace.setSpan(ROOT_CONTEXT, span);
  }

  /** The trace's id where something can be found under it, as the example of what was observed of this work. */
  get exemplar(): string | undefined {
    return this.span || this.recordedElsewhere ? this.ids.traceId : undefined;
  }

  /** What work that it causes elsewhere continues; undefined where tracing is off. Also says that nothing is recorded. */
  get traceparent(): string | undefined {
    return this.tracer && formatTraceparent(this.ids);
  }

  /** A span below it, to be ended by the caller; undefined where nothing is recorded. */
  startSpan(name: string, options: SpanOptions): Span | undefined {
    return this.context && this.tracer?.startSpan(name, options, this.context);
  }

  run<T>(work: () => T): T {
    return underWay.run(this, work);
  }
}
