import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  Module,
  Post,
  SetMetadata,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigModule } from '#libs/config';
import { DatabaseModule, TenantDatabase } from '#libs/database';
import { createHttpApplication } from '#libs/http';
import { ObservabilityModule } from '#libs/observability';
import { RedisModule } from '#libs/redis';
import { Directory, TenancyModule, TenantContextHolder, TIER_LIMITS } from '#libs/tenancy';
import { createOrganization, createTestEnvironment, type TestEnvironment, type TestOrganization } from '#libs/testing';
import { UsageMeter, UsageModule } from '#libs/usage';
import type { FastifyRequest } from 'fastify';
import { RateLimit, RateLimitGuard, ThrottlingModule } from '.';
import { SESSION_LIMITS } from './policy';

/** Takes the word of a header for who calls, and is shown the credentials of each. */
@Injectable()
class TrustingGuard implements CanActivate {
  static readonly shown: (string | undefined)[] = [];

  constructor(private readonly tenant: TenantContextHolder) {}

  canActivate(context: ExecutionContext): boolean {
    TrustingGuard.shown.push(context.switchToHttp().getRequest<FastifyRequest>().headers.authorization);
    const { headers, id } = context.switchToHttp().getRequest<FastifyRequest>();
    const organizationId = headers['x-organization'];
    if (typeof organizationId === 'string') {
      const actor = { type: 'system', id: null } as const;
      this.tenant.enter({ organizationId, actor, permissions: new Set(), requestId: id });
    }
    return true;
  }
}

@Controller()
class Endpoints {
  @Get('things')
  things(): string {
    return 'things';
  }

  @Get('others')
  others(): string {
    return 'others';
  }

  @Post('exports')
  @RateLimit('export')
  exports(): string {
    return 'export';
  }

  @Get('file')
  @SetMetadata('stockyard:access', { kind: 'link' })
  file(): string {
    return 'file';
  }

  @Post('login')
  @RateLimit('auth')
  login(@Body() _body: unknown): string {
    return 'welcome';
  }

  @Post('refresh')
  @RateLimit('session')
  refresh(@Body() _body: unknown): string {
    return 'welcome back';
  }
}

describe('the rate limit guard', () => {
  let env: TestEnvironment;
  let app: NestFastifyApplication;

  beforeAll(async () => {
    env = await createTestEnvironment({ RATE_LIMIT_MEMORY_MS: '900000' }); // as in production
    const { config } = env;
    @Module({})
    class Root {}
    const module = {
      module: Root,
      imports: [
        ConfigModule.forRoot(config),
        TenancyModule,
        DatabaseModule.forRoot({ config, applicationName: 'test' }),
        RedisModule.forRoot(config),
        ObservabilityModule.forRoot({ config, process: 'api' }),
        UsageModule.forRoot({ countApiCalls: true }),
        ThrottlingModule,
      ],
      controllers: [Endpoints],
      providers: [
        { provide: APP_GUARD, useClass: TrustingGuard },
        { provide: APP_GUARD, useExisting: RateLimitGuard },
      ],
    };
    app = await createHttpApplication({ module, config });
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  });

  afterAll(async () => {
    await app.close();
    await env.dispose();
  });

  const call = (organization: TestOrganization | undefined, method: 'GET' | 'POST', url: string, body?: object) =>
    app.inject({
      method,
      url,
      remoteAddress: '192.0.2.7',
      ...(body === undefined ? {} : { payload: body }),
      headers: organization ? { 'x-organization': organization.id } : {},
    });

  const withLimits = async (limits: Record<string, number>): Promise<TestOrganization> => {
    const organization = await createOrganization(env, { tier: 'free' });
    const names = Object.keys(limits);
    const slots = names.map((_, index) => `$${index + 2}`);
    await env.query(
      `insert into tenant_limits (organization_id, ${names.join(', ')}) values ($1, ${slots.join(', ')})`,
      [organization.id, ...Object.values(limits)],
    );
    return organization;
  };

  it('counts what holders of links download apart from the calls of their tenant', async () => {
    const organization = await withLimits({ requests_per_minute: 2, api_calls_per_hour: 2 });
    for (const status of [200, 200, 429]) expect((await call(organization, 'GET', '/file')).statusCode).toBe(status);
    const refused = await call(organization, 'GET', '/file');
    expect(refused.json()).toMatchObject({ code: 'rate_limit_exceeded', policy: 'link', limit: 2 });
    for (const status of [200, 200, 429]) expect((await call(organization, 'GET', '/things')).statusCode).toBe(status);
  });

  it('counts all routes of a tenant together and tells how much is left', async () => {
    const organization = await withLimits({ requests_per_minute: 2 });
    const first = await call(organization, 'GET', '/things');
    expect(first.statusCode).toBe(200);
    expect(first.headers).toMatchObject({
      'ratelimit-policy': `"api";q=2;w=60, "api_calls_per_hour";q=${TIER_LIMITS.free.apiCallsPerHour};w=3600`,
      'x-ratelimit-limit': '2',
      'x-ratelimit-remaining': '1',
    });
    expect(first.headers.ratelimit).toMatch(/^"api";r=1;t=(60|61), "api_calls_per_hour";r=5999;t=\d+$/);
    expect((await call(organization, 'GET', '/others')).statusCode).toBe(200);
    const refused = await call(organization, 'GET', '/things');
    expect(refused.statusCode).toBe(429);
    expect(refused.headers['content-type']).toContain('application/problem+json');
    expect(refused.headers['x-ratelimit-remaining']).toBe('0');
    const problem = refused.json<Record<string, unknown>>();
    expect(problem).toMatchObject({ code: 'rate_limit_exceeded', policy: 'api', limit: 2, remaining: 0 });
    expect(refused.headers['retry-after']).toBe(String(problem.retry_after));
  });

  it('does not let one tenant spend the quota of another', async () => {
    const [greedy, modest] = [
      await withLimits({ requests_per_minute: 1 }),
      await withLimits({ requests_per_minute: 1 }),
    ];
    for (let i = 0; i < 3; i += 1) await call(greedy, 'GET', '/things');
    expect((await call(modest, 'GET', '/things')).statusCode).toBe(200);
  });

  it('holds a named policy beside api', async () => {
    const organization = await withLimits({ exports_per_hour: 1 });
    const first = await call(organization, 'POST', '/exports');
    expect(first.headers['ratelimit-policy']).toBe(
      '"api";q=100;w=60, "api_calls_per_hour";q=6000;w=3600, "export";q=1;w=3600',
    );
    const refused = await call(organization, 'POST', '/exports');
    expect(refused.json()).toMatchObject({ code: 'rate_limit_exceeded', policy: 'export' });
    expect((await call(organization, 'GET', '/things')).statusCode).toBe(200);
  });

  it('holds the calls of an hour, names the limit, and says when the hour ends', async () => {
    const organization = await withLimits({ api_calls_per_hour: 3 });
    for (let i = 0; i < 3; i += 1) expect((await call(organization, 'GET', '/things')).statusCode).toBe(200);
    const refused = await call(organization, 'GET', '/things');
    const secondsLeft = 3_600 - (Math.floor(Date.now() / 1_000) % 3_600);
    expect(refused.statusCode).toBe(429);
    expect(refused.json()).toMatchObject({
      code: 'limit_exceeded',
      limit: 'api_calls_per_hour',
      maximum: 3,
      in_use: 3,
    });
    expect(Math.abs(Number(refused.headers['retry-after']) - secondsLeft)).toBeLessThanOrEqual(2);
    expect(refused.headers['x-ratelimit-limit']).toBe('3');
  });

  describe('once it has refused from memory', () => {
    const hammer = async (organization: TestOrganization, credentials: string, url = '/things') =>
      app.inject({
        ...{ method: 'POST', url, payload: '{"not json' },
        headers: {
          ...{ 'x-organization': organization.id, 'x-request-id': 'hammer' },
          ...{ authorization: credentials, 'content-type': 'application/json' },
        },
      });
    const shown = (credentials: string) => TrustingGuard.shown.filter((one) => one === credentials).length;
    const read = (organization: TestOrganization, authorization: string, url = '/things') =>
      app.inject({ method: 'GET', url, headers: { 'x-organization': organization.id, authorization } });

    it('refuses the same credentials at the same route before they are looked at, with the same answer', async () => {
      const organization = await withLimits({ requests_per_minute: 1 });
      const mine = `Bearer ${organization.id}`;
      await read(organization, mine);
      await read(organization, mine); // Redis says so
      const guarded = await read(organization, mine); // memory says so
      expect(shown(mine)).toBe(3);
      const early = await read(organization, mine);
      expect(shown(mine)).toBe(3);
      expect(early.statusCode).toBe(429);
      const told = ['content-type', 'ratelimit-policy', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-request-id'];
      expect(Object.keys(early.headers).sort()).toEqual(Object.keys(guarded.headers).sort());
      for (const name of told.slice(0, 4)) expect(early.headers[name]).toBe(guarded.headers[name]);
      const { request_id, retry_after, detail, ...rest } = early.json<Record<string, unknown>>();
      expect(guarded.json()).toMatchObject(rest);
      expect([request_id, early.headers['retry-after']]).toEqual([early.headers['x-request-id'], String(retry_after)]);
      expect(detail).toContain('retry in');
      await read(organization, `${mine}x`);
      await read(organization, mine, '/others');
      expect(shown(`${mine}x`)).toBe(1);
      expect(shown(mine)).toBe(4);
      await app.get(UsageMeter).flush();
      const [row] = await env.query<{ value: string }>(
        "select value from tenant_usage where organization_id = $1 and metric = 'rate_limit_exceeded_api'",
        [organization.id],
      );
      expect(Number(row!.value)).toBe(5);
    });

    it('reads no body', async () => {
      const organization = await withLimits({ exports_per_hour: 1 });
      const mine = `Bearer ${organization.id}`;
      const good = { method: 'POST', url: '/exports', headers: { 'x-organization': organization.id, authorization: mine } } as const; // prettier-ignore
      for (let i = 0; i < 3; i += 1) await app.inject(good);
      expect((await hammer(organization, mine, '/exports')).statusCode).toBe(429);
      expect((await hammer(organization, `${mine}x`, '/exports')).statusCode).toBe(400);
    });

    it('shows them to the guards again after a second, and at once when the limit was raised', async () => {
      const organization = await withLimits({ requests_per_minute: 1 });
      const mine = `Bearer ${organization.id}`;
      for (let i = 0; i < 4; i += 1) await read(organization, mine);
      expect(shown(mine)).toBe(3);
      await new Promise((resolve) => setTimeout(resolve, 1_050));
      expect((await read(organization, mine)).statusCode).toBe(429);
      expect(shown(mine)).toBe(4);
      await env.query('update tenant_limits set requests_per_minute = 100 where organization_id = $1', [
        organization.id,
      ]);
      app.get(Directory).forget(organization.id);
      expect((await read(organization, mine)).statusCode).toBe(200);
    });
  });

  it('makes refusals no statement each: they are counted in memory and written with the next flush', async () => {
    const organization = await withLimits({ api_calls_per_hour: 1 });
    await call(organization, 'GET', '/things');
    const statement = jest.spyOn(app.get(TenantDatabase), 'batch');
    try {
      for (let i = 0; i < 50; i += 1) expect((await call(organization, 'GET', '/things')).statusCode).toBe(429);
      const own = () => statement.mock.calls.filter(([[first]]) => first?.name !== 'usage_apply');
      expect(own()).toEqual([]);
      await app.get(UsageMeter).flush();
    } finally {
      statement.mockRestore();
    }
    const [row] = await env.query<{ value: string }>(
      "select value from tenant_usage where organization_id = $1 and metric = 'rate_limit_exceeded_api_calls_per_hour'",
      [organization.id],
    );
    expect(Number(row!.value)).toBe(50);
  });

  it('counts admitted calls and refusals as usage', async () => {
    const organization = await withLimits({ requests_per_minute: 2 });
    for (let i = 0; i < 5; i += 1) await call(organization, 'GET', '/things');
    await app.get(UsageMeter).flush();
    const usage = await env.query<{ metric: string; value: string }>(
      'select metric, value from tenant_usage where organization_id = $1 order by metric',
      [organization.id],
    );
    expect(usage.map(({ metric, value }) => [metric, Number(value)])).toEqual([
      ['api_calls', 2],
      ['bytes_out', 2 * 'things'.length],
      ['rate_limit_exceeded_api', 3],
    ]);
  });

  it('limits attempts to log in by account and by address', async () => {
    const organization = await createOrganization(env, { tier: 'free' });
    const attempt = (email: string) => call(undefined, 'POST', '/login', { organization: organization.slug, email });
    for (let i = 0; i < 5; i += 1) expect((await attempt('a@example.com')).statusCode).toBe(201);
    const refused = await attempt('b@example.com'); // another account from the same address
    expect(refused.statusCode).toBe(429);
    expect(refused.json()).toMatchObject({ policy: 'auth', limit: 5 });
  });

  it('limits the uses of a refresh token, and lets the others behind the same address go on', async () => {
    const refresh = (token: string) => call(undefined, 'POST', '/refresh', { refresh_token: token });
    for (let i = 0; i < SESSION_LIMITS.token; i += 1) expect((await refresh('one')).statusCode).toBe(201);
    const refused = await refresh('one');
    expect(refused.statusCode).toBe(429);
    expect(refused.json()).toMatchObject({ policy: 'session', limit: SESSION_LIMITS.token });
    expect((await refresh('other')).statusCode).toBe(201);
  });

  it('limits refreshes from an address, whatever tokens they hold', async () => {
    const refresh = (token: string) => call(undefined, 'POST', '/refresh', { refresh_token: token });
    let admitted = 0;
    while ((await refresh(`token-${admitted}`)).statusCode === 201) admitted += 1;
    expect(admitted).toBeGreaterThan(SESSION_LIMITS.address / 2); // what the test before it took counts too
  });

  it('leaves routes without a tenant and without a named policy alone', async () => {
    const answer = await call(undefined, 'GET', '/things');
    expect(answer.statusCode).toBe(200);
    expect(answer.headers.ratelimit).toBeUndefined();
  });

  it('shows refusals to Prometheus', async () => {
    const { body, headers } = await call(undefined, 'GET', '/metrics');
    expect(headers['content-type']).toContain('text/plain');
    expect(body).toMatch(/stockyard_rate_limit_requests_total\{policy="api",outcome="refused"\} [1-9]/);
    expect(body).toMatch(/http_request_duration_seconds_count\{method="GET",route="\/things",status="4xx"\} [1-9]/);
    expect(body).toMatch(/stockyard_pool_connections\{shard="main",node="[^"]+",role="app",state="idle"\} \d/);
  });
});
