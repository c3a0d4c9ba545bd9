/** Calls an api over connections that stay open, many thousands of times: a caller with a key of its own. */
import { type Agent, type IncomingHttpHeaders, request } from 'node:http';
import type { TestEnvironment } from '#libs/testing';
import { call, type RunningApi, type Tenant } from './api-fixture';

const TOKEN = 'x-consistency-token';

export interface FastAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
  readonly elapsedMs: number;
}

export interface FastCallerOptions {
  /** Whether it sends the token of its last answer. Default: it knows nothing of tokens. */
  readonly sendsTokens?: boolean;
}

export class FastCaller {
  /** Of the last answer that carried one. */
  token: string | undefined;

  private constructor(
    private readonly authorization: string,
    private readonly agent: Agent,
    readonly sendsTokens: boolean,
  ) {}

  /** `agent` is shared by the callers of a spec, which destroys it. */
  static async create(
    context: { api: RunningApi; env: TestEnvironment; tenant: Tenant; agent: Agent },
    { sendsTokens = false }: FastCallerOptions = {},
  ): Promise<FastCaller> {
    const { api, env, tenant, agent } = context;
    const made = await call(api, 'POST', `/v1/admin/organizations/${tenant.id}/api_keys`, {
      headers: { authorization: `Bearer ${env.config.ADMIN_TOKEN}` },
      body: { name: 'fast', role: 'owner' },
    });
    return new FastCaller(`Bearer ${(made.body as { key: string }).key}`, agent, sendsTokens);
  }

  /** Rejects only where there is no HTTP answer. */
  call(api: RunningApi, method: string, path: string, body?: unknown, key?: string): Promise<FastAnswer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const began = performance.now();
    const headers = {
      authorization: this.authorization,
      ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      ...(key !== undefined && { 'idempotency-key': key }),
      ...(this.sendsTokens && this.token !== undefined && { [TOKEN]: this.token }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(api.url + path, { method, headers, agent: this.agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const token = response.headers[TOKEN];
          if (typeof token === 'string') this.token = token;
          const answered = Buffer.concat(chunks).toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: (answered ? JSON.parse(answered) : {}) as FastAnswer['body'],
            elapsedMs: performance.now() - began,
          });
        });
      });
      sent.on('error', reject);
      sent.end(text);
    });
  }
}

/** Reads of an api by why they went where they went, from its metrics. */
export async function routedReads(api: RunningApi): Promise<Map<string, number>> {
  const text = await (await fetch(`${api.url}/metrics`)).text();
  const lines = text.matchAll(/^stockyard_reads_routed_total\{([^}]*)\} (\d+)/gm);
  const counts = new Map<string, number>();
  for (const [, labels = '', count] of lines) {
    const reason = /reason="(\w+)"/.exec(labels)?.[1] ?? '';
    counts.set(reason, (counts.get(reason) ?? 0) + Number(count));
  }
  return counts;
}

/** What was counted between two looks at routedReads. */
export function since(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>, reason: string): number {
  return (after.get(reason) ?? 0) - (before.get(reason) ?? 0);
}
