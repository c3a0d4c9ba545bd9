/** The endpoints of the public REST API that the replay drives. Nothing else of the platform is used. */
import type { Operation } from '../model/operation';
import { ApiFailure } from './api-failure';
import { type ApiRequest, type ApiResponse, type HttpClient, problemCode } from './http-client';

export interface OrderResource {
  readonly id: string;
  readonly state: string;
  readonly total_minor: number;
}

export interface LevelResource {
  readonly product_id: string;
  readonly sku: string;
  readonly location_id: string;
  readonly on_hand: number;
  readonly available: number;
  readonly held: number;
  readonly allocated: number;
  readonly unavailable: number;
}

/** Sums over the movements of one level. */
export interface MovementSums {
  readonly product_id: string;
  readonly sku: string;
  readonly location_id: string;
  readonly quantity: number;
  readonly available_change: number;
  readonly held_change: number;
  readonly allocated_change: number;
  readonly unavailable_change: number;
}

export interface JobResource {
  readonly id: string;
  readonly state: string;
  readonly progress: { readonly processed: number; readonly failed: number };
}

/** What became of an operation. */
export interface Outcome {
  readonly accepted: boolean;
  /** The resource where it was accepted. */
  readonly body: unknown;
  readonly milliseconds: number;
}

/** Far above what a replay can reach, so that its organizations are never throttled. */
const LIMITS = {
  requests_per_minute: 10_000_000,
  api_calls_per_hour: 100_000_000,
  bulk_per_hour: 1_000_000,
  exports_per_hour: 1_000_000,
} as const;

const CURRENCY = 'GBP';
const PATHS = { order: '/v1/orders', return: '/v1/returns', adjustment: '/v1/adjustments' } as const;
const PAGE = 100;

function payload(operation: Operation): object {
  const { reference, occurredAt: occurred_at, lines } = operation;
  if (operation.kind === 'adjustment') return { reason: operation.reason, occurred_at, lines };
  const common = { reference, currency: CURRENCY, occurred_at };
  if (operation.kind === 'order') {
    const customer = operation.customer && { customer_reference: operation.customer };
    return { ...common, advance_to: 'fulfilled', ...(customer || {}), lines };
  }
  const restocked = operation.lines.map((line) => (line.kind === 'goods' ? { ...line, disposition: 'restock' } : line));
  return { ...common, reason: `Cancellation ${reference}`, lines: restocked };
}

export class StockyardApi {
  constructor(
    private readonly http: HttpClient,
    private readonly adminToken: string,
  ) {}

  /** Throws ApiFailure with one line where no api listens or it is not live. */
  async assertReachable(): Promise<void> {
    await this.expect(200, { method: 'GET', path: '/live', token: this.adminToken, once: true });
  }

  /** An organization whose limits allow the load, and a key of its owner. */
  async createOrganization(slug: string, name: string): Promise<{ id: string; key: string }> {
    const body = { slug, name, tier: 'enterprise', limits: LIMITS };
    const { id } = await this.expect<{ id: string }>(201, this.admin('/v1/admin/organizations', body));
    const path = `/v1/admin/organizations/${id}/api_keys`;
    const { key } = await this.expect<{ key: string }>(201, this.admin(path, { name: 'replay', role: 'owner' }));
    return { id, key };
  }

  startImport(token: string, csv: string, idempotencyKey: string): Promise<JobResource> {
    const request = {
      method: 'POST',
      path: '/v1/imports',
      token,
      body: csv,
      contentType: 'text/csv',
      idempotencyKey,
    } as const;
    return this.expect(202, request);
  }

  job(token: string, id: string): Promise<JobResource> {
    return this.expect(200, { method: 'GET', path: `/v1/jobs/${id}`, token });
  }

  /** Sends one operation. A refusal for want of stock is an outcome; any other is thrown. */
  async perform(token: string, operation: Operation, idempotencyKey: string): Promise<Outcome> {
    const path = PATHS[operation.kind];
    const request = { method: 'POST', path, token, body: payload(operation), idempotencyKey } as const;
    const answer = await this.http.send(request);
    const { milliseconds, body } = answer;
    if (answer.status === 201) return { accepted: true, body, milliseconds };
    if (answer.status === 409 && problemCode(answer) === 'insufficient_stock')
      return { accepted: false, body, milliseconds };
    throw ApiFailure.unexpected({ method: 'POST', path: `${path} (${operation.reference})` }, answer);
  }

  /** Every row of a list, page by page. */
  async *list<Row>(token: string, path: string): AsyncGenerator<Row> {
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page: { data: Row[]; has_more: boolean; next_cursor: string | null } = await this.expect(200, {
        method: 'GET',
        path: `${path}?limit=${PAGE}${query}`,
        token,
      });
      yield* page.data;
      cursor = page.has_more ? page.next_cursor : null;
    } while (cursor !== null);
  }

  /** Any answer to a GET, for the checks that expect a refusal. */
  look(token: string, path: string): Promise<ApiResponse> {
    return this.http.send({ method: 'GET', path, token });
  }

  private admin(path: string, body: object): ApiRequest {
    return { method: 'POST', path, token: this.adminToken, body };
  }

  private async expect<T>(status: number, request: ApiRequest): Promise<T> {
    const answer = await this.http.send(request);
    if (answer.status !== status) throw ApiFailure.unexpected(request, answer);
    return answer.body as T;
  }
}
