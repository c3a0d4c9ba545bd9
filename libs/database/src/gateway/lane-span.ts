/**
 * What a trace shows of a lane: one span for each use of the gateway, from its call to its answer, waits and repetitions
 * included. It names statements, shard and node; never SQL, a value or a server's message. Where nothing is recorded there is
 * none. `app.traceparent` goes with each write of work that hands its trace on: rows of the outbox keep it
 * (migrations/1764000029000-outbox-traceparent.ts).
 */
import { type Attributes, type Span, SpanKind } from '@opentelemetry/api';
import { currentWork, failSpan, traceparentOf } from '#libs/tracing';
import type { FlightStatement } from '../lanes/flight';
import type { Statement } from '../lanes/statement';
import type { DatabaseNode } from '../shards/database-node';
import type { Shard } from '../shards/shard';

const HAND_ON = { name: 'hand_on_trace', text: "select set_config('app.traceparent', $1, true)" };
const NOTHING: readonly FlightStatement[] = [];
/** Of a batch: what it is about shows in the first. */
const MOST_NAMES = 12;

export class LaneSpan {
  private places = 0;

  private constructor(private readonly span: Span) {}

  /** Of the statement and batch lanes. */
  static ofFlight(statements: readonly Statement[], isRead: boolean, tenant: string | undefined): LaneSpan | undefined {
    if (!currentWork()?.span) return undefined;
    const names = statements.slice(0, MOST_NAMES).map(({ name }) => name);
    const isBatch = statements.length > 1;
    return LaneSpan.start(isBatch ? `batch ${names[0]!}` : (names[0] ?? 'batch'), tenant, {
      'db.query.summary': names.join(' '),
      'stockyard.db.lane': isBatch ? 'batch' : 'statement',
      'stockyard.db.access': isRead ? 'read' : 'write',
      ...(isBatch && { 'db.operation.batch.size': statements.length }),
    });
  }

  /** Of the interactive lane. */
  static ofTransaction(isRead: boolean, tenant: string | undefined): LaneSpan | undefined {
    if (!currentWork()?.span) return undefined;
    const access = isRead ? 'read' : 'write';
    return LaneSpan.start(`transaction ${access}`, tenant, {
      'stockyard.db.lane': 'interactive',
      'stockyard.db.access': access,
    });
  }

  private static start(name: string, tenant: string | undefined, own: Attributes): LaneSpan | undefined {
    const attributes = {
      'db.system.name': 'postgresql',
      ...(tenant !== undefined && { 'stockyard.organization_id': tenant }),
      ...own,
    };
    const span = currentWork()?.startSpan(name, { kind: SpanKind.CLIENT, attributes });
    return span && new LaneSpan(span);
  }

  get traceparent(): string {
    return traceparentOf(this.span);
  }

  /** The node that is asked. Of several tries, the last one stands, and their number. */
  wentTo(shard: Shard, node: DatabaseNode): void {
    const [, host = node.name, port] = /^(.*):(\d+)$/.exec(node.name) ?? [];
    this.places += 1;
    this.span.setAttributes({
      'stockyard.db.shard': shard.name,
      'stockyard.db.route': node === shard.primary ? 'primary' : 'replica',
      'server.address': host,
      ...(port !== undefined && { 'server.port': Number(port) }),
      ...(this.places > 1 && { 'stockyard.db.tries': this.places }),
    });
  }

  end(returnedRows?: number): void {
    if (returnedRows !== undefined) this.span.setAttribute('db.response.returned_rows', returnedRows);
    this.span.end();
  }

  fail(error: unknown): void {
    failSpan(this.span, error);
    this.span.end();
  }
}

/** What belongs behind the entry of a write: nothing, unless its work hands its trace on. */
export function handOn(span: LaneSpan | undefined): readonly FlightStatement[] {
  const traceparent = span?.traceparent ?? currentWork()?.traceparent;
  return traceparent === undefined ? NOTHING : [{ ...HAND_ON, values: [traceparent] }];
}
