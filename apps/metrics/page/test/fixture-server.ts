/**
 * Serves the built page under the policy that the metrics process serves it with, and answers its API from fixtures; what
 * it answers can be changed while a page is open. It stands for the API alone: that the real one answers so, its own specs say.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { RangeName } from '../../src/dashboard/dashboard.shape';
import * as fixtures from './fixtures';

const DIRECTORY = join(process.cwd(), 'dist/apps/metrics/page');
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html";
export const OPERATOR_TOKEN = 'operators-token';
export const TENANT_KEY = 'sk_tenant_key';
export const POWERLESS_KEY = 'sk_without_usage_read';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

interface Problem {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

const problem = (status: number, code: string, detail: string, more: Record<string, unknown> = {}): Problem => ({
  status,
  body: { type: 'about:blank', title: code, status, code, detail, request_id: 'r-1', ...more },
});
const UNKNOWN = problem(404, 'not_found', 'There is nothing at this address.');

export class FixtureServer {
  /** Answers everything of the API, until it is undefined again. */
  outage: Problem | undefined;
  /** The tenant may look, and follow nothing. */
  suspended = false;
  platform: (range: RangeName) => ReturnType<typeof fixtures.platform> = fixtures.platform;
  tenant: (range: RangeName) => ReturnType<typeof fixtures.tenant> = fixtures.tenant;
  /** Paths that were asked for, with what was asked. */
  readonly asked: string[] = [];
  readonly streams = new Set<ServerResponse>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<FixtureServer> {
    const server = createServer((request, response) => void fixture.answer(request, response));
    const fixture = new FixtureServer(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return fixture;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  reset(): void {
    this.outage = undefined;
    this.suspended = false;
    this.platform = fixtures.platform;
    this.tenant = fixtures.tenant;
    this.asked.length = 0;
  }

  unavailable(): void {
    this.outage = problem(503, 'unavailable', 'The metrics process cannot answer at the moment.');
  }

  /** Answers everything as if the credential had been taken back. */
  takenBack(): void {
    this.outage = problem(401, 'api_key_revoked', 'The key was taken back.');
  }

  gone(): void {
    this.outage = UNKNOWN;
  }

  /** Cuts every stream off. */
  drop(): void {
    for (const stream of this.streams) stream.destroy();
  }

  /** Sends an event into every stream, in two pieces. */
  send(name: string, data: unknown): void {
    const text = `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    for (const stream of this.streams) {
      stream.write(text.slice(0, 25));
      setImmediate(() => stream.write(text.slice(25)));
    }
  }

  async stop(): Promise<void> {
    this.drop();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('content-security-policy', POLICY);
    response.setHeader('x-content-type-options', 'nosniff');
    const url = new URL(request.url!, this.url);
    if (!url.pathname.startsWith('/v1/')) return this.file(url.pathname, response);
    this.asked.push(url.pathname + url.search);
    const answer = this.outage ?? this.api(url, request.headers.authorization ?? '');
    if ('stream' in answer) {
      this.stream(answer.stream, response);
      return;
    }
    const { status, body } = 'body' in answer ? answer : { status: 200, body: answer.view };
    const type = status === 200 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
  }

  private async file(path: string, response: ServerResponse): Promise<void> {
    if (path === '/blank') return void response.writeHead(200, { 'content-type': TYPES['.html'] }).end();
    // The metrics process serves these two and no other file of the page.
    if (path !== '/' && !path.startsWith('/assets/')) return void response.writeHead(404).end();
    const name = path === '/' ? 'index.html' : normalize(path).slice(1);
    try {
      const content = await readFile(join(DIRECTORY, name));
      response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream' }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  }

  private stream(view: unknown, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    this.streams.add(response);
    response.once('close', () => this.streams.delete(response));
    response.write(': here\n\n');
    response.write(`event: view\ndata: ${JSON.stringify(view)}\n\n`);
  }

  private api(url: URL, authorization: string): Problem | { view: unknown } | { stream: unknown } {
    const path = url.pathname.replace('/v1/dashboard/', '');
    const range = (url.searchParams.get('range') ?? '1h') as RangeName;
    const operator = authorization === `Bearer ${OPERATOR_TOKEN}`;
    if (authorization === `Bearer ${POWERLESS_KEY}`)
      return problem(
        403,
        'permission_denied',
        'Your credentials do not allow this: the permission usage:read is missing.',
        {
          permission: 'usage:read',
        },
      );
    if (!operator && authorization !== `Bearer ${TENANT_KEY}`)
      return problem(401, 'invalid_token', 'The credential is wrong, has expired or was taken back.');
    if (path === 'session') return { view: operator ? fixtures.OPERATOR : fixtures.TENANT };
    if (path === `tenants/${fixtures.ACME}/events` && this.suspended)
      return problem(403, 'organization_suspended', 'The organization is suspended; it may look and not follow.');
    if (path === `tenants/${fixtures.ACME}`) return { view: this.tenant(range) };
    if (path === `tenants/${fixtures.ACME}/events`) return { stream: this.tenant(range) };
    if (path === `tenants/${fixtures.ACME}/activity`)
      return { view: fixtures.activity(range, url.searchParams.get('activity')!) };
    if (!operator) return UNKNOWN;
    if (path === 'platform') return { view: this.platform(range) };
    if (path === 'platform/events') return { stream: this.platform(range) };
    if (path !== 'tenants') return UNKNOWN;
    const search = url.searchParams.get('search') ?? '';
    return { view: fixtures.tenants({ range, search, cursor: url.searchParams.has('cursor') ? 50 : 0 }) };
  }
}
