/**
 * What a trace shows of the relay. Each message that belongs to a trace goes on in it with a span of its own, from which the job
 * continues; a batch has a trace of its own, linked with those of its messages, and is only recorded if one of them is.
 */
import { type Span, SpanKind } from '@opentelemetry/api';
import { failSpan, formatTraceparent, parseTraceparent, type TraceIds, type Tracing, type Work } from '#libs/tracing';
import type { OutboxMessage, QueuedWork } from '../registry/topic-registry';

const SYSTEM = { 'messaging.system': 'bullmq' };

export class RelayTrace {
  private readonly parents: ReadonlyMap<OutboxMessage, TraceIds>;
  private readonly batch: Work | undefined;
  private readonly sent: Span[] = [];

  private constructor(
    private readonly tracing: Tracing,
    shard: string,
    messages: readonly OutboxMessage[],
  ) {
    this.parents = parentsOf(messages);
    const links = [...this.parents.values()].filter(({ sampled }) => sampled);
    if (links.length === 0) return;
    this.batch = tracing.begin({
      ...{ name: 'relay outbox', kind: SpanKind.INTERNAL, links },
      attributes: { ...SYSTEM, 'messaging.batch.message_count': messages.length, 'stockyard.db.shard': shard },
    });
  }

  /** undefined where tracing is off. */
  static of(tracing: Tracing, shard: string, messages: readonly OutboxMessage[]): RelayTrace | undefined {
    return tracing.isOn ? new RelayTrace(tracing, shard, messages) : undefined;
  }

  /** The work with what its span is to continue. */
  handOn(message: OutboxMessage, work: QueuedWork): QueuedWork {
    const parent = this.parents.get(message);
    if (!parent) return work;
    if (!parent.sampled) return { ...work, traceparent: formatTraceparent(parent) };
    const { ids, span } = this.tracing.begin({
      ...{ name: `send ${work.name}`, kind: SpanKind.PRODUCER, parent },
      links: this.batch ? [this.batch.ids] : [],
      attributes: {
        ...SYSTEM,
        'messaging.operation.type': 'send',
        'messaging.destination.name': work.class,
        'messaging.message.id': work.jobId,
        'stockyard.organization_id': work.organizationId,
        'stockyard.outbox.topic': message.topic,
      },
    });
    if (span) this.sent.push(span);
    return { ...work, traceparent: formatTraceparent(ids) };
  }

  /** When all have been added, or none. */
  end(error?: unknown): void {
    for (const span of [...this.sent, ...(this.batch?.span ? [this.batch.span] : [])]) {
      if (error !== undefined) failSpan(span, error);
      span.end();
    }
  }
}

function parentsOf(messages: readonly OutboxMessage[]): Map<OutboxMessage, TraceIds> {
  const parents = new Map<OutboxMessage, TraceIds>();
  for (const message of messages) {
    const parent = parseTraceparent(message.traceparent);
    if (parent) parents.set(message, parent);
  }
  return parents;
}
