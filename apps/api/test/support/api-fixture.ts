/** The api for end-to-end specs: inside the spec's process, or as processes of their own built from dist. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { freePort, type TestEnvironment, waitFor } from '#libs/testing';
import { Redis } from 'ioredis';
import { createApi } from '../../src/create-api';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever the api answers; specs look into it
  readonly body: any;
}

export interface CallOptions {
  readonly body?: unknown;
  /** Sent as it is, in place of body. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Idempotency-Key. */
  readonly key?: string;
}

export interface RunningApi {
  readonly url: string;
  stop(): Promise<void>;
}

export interface Tenant {
  readonly id: string;
  readonly slug: string;
  /** What its owner key sends. */
  readonly headers: Readonly<Record<string, string>>;
  /** Calls an api as this tenant's owner key. */
  call(api: RunningApi, method: string, path: string, options?: CallOptions): Promise<Answer>;
}

export async function call(api: RunningApi, method: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const body = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const response = await fetch(api.url + path, {
    method,
    ...(body === undefined ? {} : { body }),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(options.key === undefined ? {} : { 'idempotency-key': options.key }),
      ...options.headers,
    },
  });
  const text = await response.text();
  const json = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: json ? (JSON.parse(text) as unknown) : text };
}

export async function startApi(env: TestEnvironment, port?: number): Promise<RunningApi> {
  const config = loadConfig({ ...env.variables, API_PORT: String(port ?? (await freePort())) });
  const app = await createApi(config);
  await app.listen(config.API_PORT, config.HOST);
  return { url: `http://127.0.0.1:${config.API_PORT}`, stop: () => app.close() };
}

/** A second api in a process of its own, from dist (`npm test` builds it first). */
export async function startApiProcess(env: Pick<TestEnvironment, 'variables'>, at?: number): Promise<RunningApi> {
  const program = join(process.cwd(), 'dist/apps/api/src/main.js');
  if (!existsSync(program)) throw new Error('dist is missing: run `npm run build` first.');
  const port = at ?? (await freePort());
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, ...env.variables, API_PORT: String(port) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  await waitFor(async () => (await fetch(`${url}/ready`)).ok, { what: 'the api to be ready', timeoutMs: 30_000 });
  return {
    url,
    stop: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** An organization made over the admin API, with limits that allow a spec's load; `overrides` are more of them. */
export async function createTenant(
  api: RunningApi,
  env: TestEnvironment,
  tier = 'enterprise',
  overrides: Readonly<Record<string, number>> = {},
): Promise<Tenant> {
  const headers = { authorization: `Bearer ${env.config.ADMIN_TOKEN}` };
  const slug = `t-${newId()}`;
  const ample = { requests_per_minute: 1_000_000, exports_per_hour: 10_000, bulk_per_hour: 10_000 };
  const limits = { ...(tier === 'enterprise' && ample), ...overrides };
  const made = await call(api, 'POST', '/v1/admin/organizations', {
    headers,
    body: { slug, name: slug, tier, limits },
  });
  if (made.status !== 201) throw new Error(`No organization: ${JSON.stringify(made.body)}`);
  const { id } = made.body as { id: string };
  const key = await call(api, 'POST', `/v1/admin/organizations/${id}/api_keys`, {
    headers,
    body: { name: 'spec', role: 'owner' },
  });
  const authorization = `Bearer ${(key.body as { key: string }).key}`;
  return {
    id,
    slug,
    headers: { authorization },
    call: (to, method, path, options = {}) =>
      call(to, method, path, { ...options, headers: { authorization, ...options.headers } }),
  };
}

/** A product with stock at the default location; answers its SKU. */
export async function stockedProduct(
  api: RunningApi,
  tenant: Tenant,
  quantity: number,
): Promise<{ id: string; sku: string }> {
  const sku = `S-${newId()}`;
  const product = await tenant.call(api, 'POST', '/v1/products', {
    body: { sku, name: sku, price_minor: 100, currency: 'GBP' },
  });
  const stocked = await tenant.call(api, 'POST', '/v1/adjustments', {
    key: newId(),
    body: { reason: 'opening', lines: [{ sku, delta: quantity }] },
  });
  if (stocked.status !== 201) throw new Error(`No stock: ${JSON.stringify(stocked.body)}`);
  return { id: (product.body as { id: string }).id, sku };
}

/** Starts every rate limit of this environment afresh. */
export async function forgetLimits(env: TestEnvironment): Promise<void> {
  const redis = new Redis(env.config.redisLimitsUrl);
  try {
    const keys = await redis.keys(`${env.config.REDIS_KEY_PREFIX}:limits:*`);
    if (keys.length > 0) await redis.del(...keys);
  } finally {
    redis.disconnect();
  }
}
