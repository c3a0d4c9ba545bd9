/** What a tenant asks for: mostly products, some pages of stock levels, some orders. The same numbers give the same requests. */
import { randomUUID } from 'node:crypto';

export interface Caller {
  /** Which of the tenants; results are told apart by it. */
  readonly tenant: number;
  readonly key: string;
  /** Ids and skus of its products, in the same order. */
  readonly productIds: readonly string[];
  readonly skus: readonly string[];
}

export type RequestKind = 'product' | 'levels' | 'order' | 'job' | 'live';

export interface PlannedRequest {
  readonly kind: RequestKind;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** JSON, with an Idempotency-Key. */
  readonly body?: string;
}

/** Of ten requests. */
const PRODUCTS = 5;
const LEVELS = 3;
const PAGE = 50;
const LINES = 3;

/** Uniform numbers from 0 to 1 that depend on the seed alone (Mulberry32, Tommy Ettinger, public domain). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Times in milliseconds of a Poisson process of so many arrivals a second. */
export function arrivals(perSecond: number, seconds: number, random: () => number): number[] {
  const times: number[] = [];
  for (let at = 0; ;) {
    at -= (Math.log(1 - random()) / perSecond) * 1_000;
    if (at >= seconds * 1_000) return times;
    times.push(at);
  }
}

export function someRequest({ productIds, skus }: Caller, random: () => number): PlannedRequest {
  const which = Math.floor(random() * 10);
  const first = Math.floor(random() * productIds.length);
  if (which < PRODUCTS) return { kind: 'product', method: 'GET', path: `/v1/products/${productIds[first]!}` };
  if (which < PRODUCTS + LEVELS) return { kind: 'levels', method: 'GET', path: `/v1/stock_levels?limit=${PAGE}` };
  const lines = Array.from({ length: LINES }, (_, index) => {
    const sku = skus[(first + index * 7) % skus.length]!;
    return { kind: 'goods', sku, quantity: 1, unit_price_minor: 255 };
  });
  const body = { reference: 'bench', currency: 'GBP', advance_to: 'fulfilled', lines };
  return { kind: 'order', method: 'POST', path: '/v1/orders', body: JSON.stringify(body) };
}

export const JOB_TYPE = 'inventory.reconcile';
const JOB_BODY = JSON.stringify({ type: JOB_TYPE, payload: {} });
export const jobRequest = (): PlannedRequest => ({ kind: 'job', method: 'POST', path: '/v1/jobs', body: JOB_BODY });

export const liveRequest = (): PlannedRequest => ({ kind: 'live', method: 'GET', path: '/live' });

export const idempotencyKey = (): string => randomUUID();
