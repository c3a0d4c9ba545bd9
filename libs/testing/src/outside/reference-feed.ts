/**
 * The reference of an outside system that stock is pulled from: a log of counts behind `GET /feed?cursor=…&limit=…`, as
 * docs/connections.md describes it. It can be told to answer badly instead, call by call.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { type Fault, misbehave, OutsideServer } from './outside-server';

export interface FeedRow {
  readonly sku: string;
  readonly on_hand: number;
  readonly location?: string;
  readonly occurred_at?: string;
}

export interface FeedCall {
  readonly cursor: string | null;
  readonly limit: number;
  readonly headers: IncomingHttpHeaders;
  /** 1 is the first call of this server. */
  readonly number: number;
}

/** What is answered in place of a page. */
export interface FeedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: unknown;
}

type Instead = FeedAnswer | Fault | undefined;

const CURSOR = /^from-(\d+)$/;

export class ReferenceFeed {
  /** The log: where a SKU stands twice, the later count is the newer one. */
  readonly rows: FeedRow[] = [];
  readonly calls: FeedCall[] = [];
  /** Rows of a page at most, whatever is asked for. */
  pageSize = 500;
  /** The beginning of the log that is kept; a cursor before it is gone. */
  keptFrom = 0;
  /** undefined: the page. May take its time. */
  interfere: (call: FeedCall) => Instead | Promise<Instead> = () => undefined;
  private readonly server = new OutsideServer();

  async start(): Promise<void> {
    this.server.answer = (request, response) => {
      this.serve(request, response).catch(() => response.destroy());
    };
    await this.server.start();
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  get url(): string {
    return `${this.server.url}/feed`;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const query = new URL(request.url ?? '', this.server.url).searchParams;
    const call: FeedCall = {
      cursor: query.get('cursor'),
      limit: Number(query.get('limit')),
      headers: request.headers,
      number: this.calls.length + 1,
    };
    this.calls.push(call);
    const instead = (await this.interfere(call)) ?? this.page(call);
    if (typeof instead === 'string') {
      misbehave(response, instead);
      return;
    }
    const { status = 200, headers = {}, body } = instead;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  }

  private page({ cursor, limit }: FeedCall): FeedAnswer {
    const match = cursor === null ? ['', String(this.keptFrom)] : CURSOR.exec(cursor);
    const from = Number(match?.[1] ?? NaN);
    if (!(from >= this.keptFrom)) return { status: 410, body: { error: 'This cursor is gone.' } };
    const data = this.rows.slice(from, from + Math.min(limit, this.pageSize));
    const next = from + data.length;
    return { body: { data, next_cursor: `from-${next}`, has_more: next < this.rows.length } };
  }
}
