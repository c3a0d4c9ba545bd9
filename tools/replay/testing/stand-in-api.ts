/**
 * Test double of the api: the endpoints that the replay drives, in memory, on a port of its own. It answers writes in a
 * shuffled order, so that a replay which sends what must wait is found out, and does the wrong things it is told to.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { newId } from '#libs/kernel';
import { parse } from 'csv-parse/sync';
import {
  type Answer,
  type Fault,
  problem,
  StandInLedger,
  type StandInProduct,
  type WriteLine,
} from './stand-in-ledger';

export const STAND_IN_ADMIN_TOKEN = 'stand-in-admin-token';
const NTH = 3;

interface Received {
  readonly method: string;
  readonly url: URL;
  readonly token: string;
  readonly key: string | undefined;
  readonly text: string;
}

function levels(products: Iterable<StandInProduct>): object[] {
  return [...products].map(({ product_id, location_id, sku, onHand }) => {
    const parts = { on_hand: onHand, available: onHand, held: 0, allocated: 0, unavailable: 0, incoming: 0 };
    return { product_id, location_id, sku, ...parts };
  });
}

function sums(products: Iterable<StandInProduct>): object[] {
  return [...products].map(({ product_id, location_id, sku, moved }) => {
    const changes = { available_change: moved, held_change: 0, allocated_change: 0, unavailable_change: 0 };
    return { product_id, location_id, sku, quantity: moved, ...changes, movements: 1 };
  });
}

const job = (id: string, state: string, processed: number, failed = 0) => ({
  id,
  state,
  progress: { processed, failed },
});

export class StandInApi {
  /** Organizations by API key. */
  readonly ledgers = new Map<string, StandInLedger>();
  /** Most writes that were being answered at once. */
  mostAtOnce = 0;
  private atOnce = 0;
  private writes = 0;
  private readonly organizationIds = new Set<string>();
  private readonly answered = new Map<string, Answer>();
  private readonly server: Server;

  constructor(private readonly faults: readonly Fault[] = []) {
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private has(fault: Fault): boolean {
    return this.faults.includes(fault);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const received: Received = {
      method: request.method ?? '',
      url: new URL(request.url ?? '/', 'http://stand-in'),
      token: (request.headers.authorization ?? '').replace('Bearer ', ''),
      key: request.headers['idempotency-key'] as string | undefined,
      text,
    };
    const answer = received.key === undefined ? this.answer(received) : await this.write(received, received.key);
    if (!answer) {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, {
      'content-type': 'application/json',
      ...(answer.status === 503 && { 'retry-after': '0' }),
    });
    response.end(JSON.stringify(answer.body));
  }

  /** A write under its key, answered after a random number of turns; undefined: the connection breaks. */
  private async write(received: Received, key: string): Promise<Answer | undefined> {
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    for (let turns = Math.floor(Math.random() * 8); turns > 0; turns -= 1) await new Promise(setImmediate);
    this.atOnce -= 1;
    const stored = this.answered.get(`${received.token} ${key}`);
    if (stored && !this.has('forgets-idempotency-keys')) return stored;
    const unlucky = !stored && ++this.writes % NTH === 0;
    if (unlucky && this.has('is-busy')) {
      this.answered.delete(key);
      return problem(503, 'unavailable');
    }
    const answer = this.answer(received);
    this.answered.set(`${received.token} ${key}`, answer);
    return unlucky && this.has('answers-and-hangs-up') ? undefined : answer;
  }

  private answer({ method, url, token, text }: Received): Answer {
    const [, , area = '', name = ''] = url.pathname.split('/');
    if (url.pathname === '/live') return { status: 200, body: { status: 'ok' } };
    if (area === 'admin')
      return token === STAND_IN_ADMIN_TOKEN ? this.admin(url.pathname) : problem(401, 'unauthenticated');
    const ledger = this.ledgers.get(token);
    if (!ledger) return problem(401, 'unauthenticated');
    if (method === 'POST') return this.post(ledger, area, text);
    if (area === 'jobs') return this.job(name, ledger);
    if (name === 'summary') return this.page(sums(ledger.products.values()), url);
    if (name !== '') return this.one(ledger, area, name);
    if (area === 'stock_levels') return this.page(levels(ledger.products.values()), url);
    return this.page(area === 'orders' ? ledger.orders : ledger.returns, url);
  }

  private admin(path: string): Answer {
    const id = newId();
    if (!path.endsWith('/api_keys')) {
      this.organizationIds.add(id);
      return { status: 201, body: { id } };
    }
    if (!this.organizationIds.has(path.split('/')[4] ?? '')) return problem(404, 'not_found');
    this.ledgers.set(id, new StandInLedger((fault) => this.has(fault)));
    return { status: 201, body: { id: newId(), key: id } };
  }

  private post(ledger: StandInLedger, area: string, text: string): Answer {
    if (area === 'imports') {
      const rows: { sku: string; on_hand: string }[] = parse(text, { columns: true });
      for (const { sku, on_hand } of rows) ledger.open(sku, Number(on_hand));
      return { status: 202, body: job(newId(), 'queued', 0) };
    }
    const { lines } = JSON.parse(text) as { lines: WriteLine[] & { sku: string; delta: number }[] };
    if (area === 'orders') return ledger.order(lines);
    return area === 'returns' ? ledger.return(lines) : ledger.adjust(lines);
  }

  private job(id: string, ledger: StandInLedger): Answer {
    if (this.has('fails-an-import')) return { status: 200, body: job(id, 'failed', 0) };
    const failed = this.has('skips-lines-of-an-import') ? 1 : 0;
    return { status: 200, body: job(id, 'completed', ledger.products.size, failed) };
  }

  private one(ledger: StandInLedger, area: string, id: string): Answer {
    const holds = (other: StandInLedger): boolean =>
      area === 'orders'
        ? other.orders.some((order) => order.id === id)
        : [...other.products.values()].some((product) => product.product_id === id);
    const elsewhere = [...this.ledgers.values()].some(holds);
    if (holds(ledger) || (elsewhere && this.has('shows-foreign-ids'))) return { status: 200, body: { id } };
    return problem(404, elsewhere && this.has('hints-at-foreign-ids') ? 'not_yours' : 'not_found');
  }

  private page(rows: readonly object[], url: URL): Answer {
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const to = from + Number(url.searchParams.get('limit'));
    const more = rows.length > to;
    return { status: 200, body: { data: rows.slice(from, to), has_more: more, next_cursor: more ? String(to) : null } };
  }
}
