/**
 * Requests at a steady rate, whatever becomes of them (open loop): reads, and orders of one unit with a key of their own each, over
 * connections that stay open, as clients have them. No request is tried again. Where too many are under way, as on a machine
 * that others keep busy, less is offered, and said.
 */
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '#libs/kernel';
import type { Tenant } from './api-fixture';

const TICK_MS = 10;
const ORDER_EVERY = 10;
const MOST_UNDER_WAY = 150;

export interface Product {
  readonly id: string;
  readonly sku: string;
}

export interface Sent {
  /** Its X-Request-Id. */
  readonly id: string;
  readonly beganMs: number;
  /** Its Idempotency-Key and its body, where it is an order. */
  readonly order?: { readonly key: string; readonly body: object };
}

export interface Failed extends Sent {
  readonly endedMs: number;
  readonly why: string;
}

export class SteadyLoad {
  readonly failures: Failed[] = [];
  /** Orders that were acknowledged. */
  orders = 0;
  reads = 0;
  /** Answers that did not name the request as it was named, or another one. */
  misnamed = 0;
  private offeredMs = 0;
  private stopping = false;
  private underWay = 0;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly running: Promise<void>;

  constructor(
    private readonly url: string,
    private readonly tenant: Tenant,
    private readonly products: readonly Product[],
    private readonly perSecond: number,
  ) {
    this.running = this.run();
  }

  /** Answered as they were meant to be. */
  get answered(): number {
    return this.orders + this.reads;
  }

  /** Requests a second that were sent. */
  get rate(): number {
    return ((this.answered + this.failures.length) / this.offeredMs) * 1_000;
  }

  /** Resolves when every answer has arrived. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    while (this.underWay > 0) await delay(TICK_MS);
    this.agent.destroy();
  }

  private async run(): Promise<void> {
    const began = performance.now();
    let due = 0;
    let count = 0;
    while (!this.stopping) {
      this.offeredMs = performance.now() - began;
      const wanted = (this.offeredMs / 1_000) * this.perSecond;
      for (; due < wanted && this.underWay < MOST_UNDER_WAY; due += 1) {
        count += 1;
        void this.send(count);
      }
      due = Math.max(due, wanted - MOST_UNDER_WAY); // what could not be offered is not made up for
      await delay(TICK_MS);
    }
  }

  private async send(count: number): Promise<void> {
    const product = this.products[count % this.products.length]!;
    const lines = [{ kind: 'goods', sku: product.sku, quantity: 1 }];
    const order = count % ORDER_EVERY === 0 ? { key: newId(), body: { currency: 'GBP', lines } } : undefined;
    const sent: Sent = { id: `load-${newId()}`, beganMs: performance.now(), ...(order && { order }) };
    this.underWay += 1;
    try {
      const { status, id, text } = await this.answerTo(sent, `/v1/products/${product.id}`);
      if (id !== sent.id) this.misnamed += 1;
      if (status !== (order ? 201 : 200)) throw new Error(`${status} ${text}`);
      if (order) this.orders += 1;
      else this.reads += 1;
    } catch (error) {
      this.failures.push({ ...sent, endedMs: performance.now(), why: (error as Error).message });
    } finally {
      this.underWay -= 1;
    }
  }

  private answerTo({ id, order }: Sent, path: string): Promise<{ status: number; id: unknown; text: string }> {
    const body = order && JSON.stringify(order.body);
    const headers = {
      ...{ ...this.tenant.headers, 'x-request-id': id },
      ...(body && {
        ...{ 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        'idempotency-key': order.key,
      }),
    };
    const options = { method: order ? 'POST' : 'GET', headers, agent: this.agent };
    return new Promise((resolve, reject) => {
      const asked = request(this.url + (order ? '/v1/orders' : path), options, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part)).on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(parts).toString();
          resolve({ status: response.statusCode!, id: response.headers['x-request-id'], text });
        });
      });
      asked.on('error', reject).end(body);
    });
  }
}
