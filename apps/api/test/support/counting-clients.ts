/**
 * Clients of one tenant that call an api without pause, and count by themselves what usage is to say: requests that succeed, are
 * refused by a limit, find nothing and fail, exports that become jobs, and questions that `metrics` answers. Each has a connection
 * of its own, so that a request which meets an api that leaves was either let in and answered, or never heard.
 */
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '#libs/kernel';
import type { RunningApi, Tenant } from './api-fixture';

/** Of each client: the processes of a spec are many for one machine, and are not to be short of processors. */
const PAUSE_MS = 15;
/** Before the request was let in, counted by nobody: the Redis of the limits has not answered within its 50 ms. */
const NOT_HEARD = 'rate_limits_unavailable';

/** A product that the database refuses, if the spec has told it so. */
export const FAILING = 'the database fails here';

interface Wanted {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  /** Beside refusals. */
  readonly status: number;
}

interface Answered {
  readonly status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever the api answers; specs look into it
  readonly body: any;
}

const product = (name: string) => ({ sku: `S-${newId()}`, name, price_minor: 100, currency: 'GBP' });
const ROUND: readonly (() => Wanted)[] = [
  () => ({ method: 'POST', path: '/v1/products', body: product('Tent'), status: 201 }),
  () => ({ method: 'GET', path: '/v1/products?limit=5', status: 200 }),
  () => ({ method: 'GET', path: `/v1/orders/${newId()}`, status: 404 }),
  () => ({ method: 'GET', path: '/v1/usage', status: 200 }),
  () => ({ method: 'POST', path: '/v1/products', body: product(FAILING), status: 500 }),
  () => ({ method: 'GET', path: '/v1/usage?granularity=day', status: 200 }),
  () => ({ method: 'POST', path: '/v1/exports', body: { resource: 'products', format: 'csv' }, status: 202 }),
];

export class CountingClients {
  /** Answered, having been let in. */
  calls = 0;
  errors = 0;
  refusals = 0;
  exports = 0;
  /** Sent to an api that was gone before it answered. */
  unanswered = 0;
  /** Answers that were not to be, told. */
  readonly surprises: string[] = [];
  private stopping = false;
  private readonly running: Promise<void>[] = [];

  constructor(readonly tenant: Tenant) {}

  /** `clients` more that call this api, until it is gone or they are stopped. */
  start(api: RunningApi, clients: number): void {
    for (let client = 0; client < clients; client += 1) this.running.push(this.callOn(api, client));
  }

  /** Resolves when every answer has arrived. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.running.splice(0));
    this.stopping = false;
  }

  /** One more call of the tenant, which counts. */
  async ask(api: RunningApi, path: string): Promise<Answered> {
    const wanted = { method: 'GET', path, status: 200 };
    const answer = await this.answerTo(api, wanted);
    this.count(wanted, answer);
    return answer;
  }

  private async callOn(api: RunningApi, first: number): Promise<void> {
    for (let step = first; !this.stopping; step += 1) {
      const wanted = ROUND[step % ROUND.length]!();
      const answer = await this.answerTo(api, wanted).catch(() => undefined);
      if (answer === undefined) {
        this.unanswered += 1;
        return;
      }
      this.count(wanted, answer);
      await delay(PAUSE_MS);
    }
  }

  private count(wanted: Wanted, { status, body }: Answered): void {
    const { code } = body as { code?: string };
    if (code === NOT_HEARD) return;
    if (status === 429 || code === 'overloaded') {
      this.refusals += 1;
      return;
    }
    this.calls += 1;
    if (status >= 500) this.errors += 1;
    if (status === 202) this.exports += 1;
    if (status !== wanted.status) this.surprises.push(`${wanted.method} ${wanted.path}: ${status} ${code}`);
  }

  private answerTo(api: RunningApi, { method, path, body }: Wanted): Promise<Answered> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      ...{ ...this.tenant.headers, 'idempotency-key': newId(), 'content-length': Buffer.byteLength(text) },
      ...(text && { 'content-type': 'application/json' }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(api.url + path, { method, headers, agent: false }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part)).on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode!, body: JSON.parse(Buffer.concat(parts).toString()) as unknown });
        });
      });
      sent.on('error', reject).end(text);
    });
  }
}
