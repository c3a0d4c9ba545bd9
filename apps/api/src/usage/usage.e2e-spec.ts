import { type CanActivate, Controller, type ExecutionContext, Injectable, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { CacheModule } from '#libs/cache';
import { ConfigModule } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { HealthModule } from '#libs/health';
import { createHttpApplication } from '#libs/http';
import { listenToMessages, MessagingModule, OnQuestion, type Questions } from '#libs/messaging';
import { ObservabilityModule } from '#libs/observability';
import { RedisModule } from '#libs/redis';
import { StorageModule } from '#libs/storage';
import { TenancyModule, TenantContextHolder } from '#libs/tenancy';
import {
  createOrganization,
  createTestEnvironment,
  type TestEnvironment,
  type TestOrganization,
  waitFor,
} from '#libs/testing';
import { UsageMeter, UsageModule, usagePeriod, UsageReader } from '#libs/usage';
import type { FastifyRequest } from 'fastify';
import { HealthHttpModule } from '../health/health-http.module';
import { UsageHttpModule } from './usage-http.module';

/** Takes the word of a header for who calls. */
@Injectable()
class TrustingGuard implements CanActivate {
  constructor(private readonly tenant: TenantContextHolder) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers, id } = context.switchToHttp().getRequest<FastifyRequest>();
    const organizationId = headers['x-organization'];
    if (typeof organizationId === 'string') {
      const actor = { type: 'system', id: null } as const;
      this.tenant.enter({ organizationId, actor, permissions: new Set(), requestId: id });
    }
    return true;
  }
}

/** Answers as the metrics process does. */
@Controller()
class Answers {
  constructor(private readonly usage: UsageReader) {}

  @OnQuestion('usage.summary')
  async summary(asked: Questions['usage.summary']['asks']): Promise<Questions['usage.summary']['answers']> {
    return { ...asked, metrics: await this.usage.totals(asked.organization_id, usagePeriod(asked)) };
  }
}

@Module({ controllers: [Answers] })
class AnsweringModule {}

describe('usage for a tenant', () => {
  let env: TestEnvironment;
  let organization: TestOrganization;
  const apps: NestFastifyApplication[] = [];

  const start = async (answers: boolean): Promise<NestFastifyApplication> => {
    const { config } = env;
    @Module({})
    class Root {}
    const module = {
      module: Root,
      imports: [
        ConfigModule.forRoot(config),
        TenancyModule,
        ObservabilityModule.forRoot({ config, process: 'api' }),
        DatabaseModule.forRoot({ config, applicationName: 'test' }),
        RedisModule.forRoot(config),
        MessagingModule.forRoot(config),
        CacheModule,
        StorageModule,
        UsageModule.forRoot({ countApiCalls: true }),
        HealthModule,
        HealthHttpModule,
        UsageHttpModule,
        ...(answers ? [AnsweringModule] : []),
      ],
      providers: [{ provide: APP_GUARD, useClass: TrustingGuard }],
    };
    const app = await createHttpApplication({ module, config });
    apps.push(app);
    await listenToMessages(app);
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    return app;
  };

  const get = (app: NestFastifyApplication, url: string) =>
    app.inject({ url, headers: { 'x-organization': organization.id } });

  beforeEach(async () => {
    env = await createTestEnvironment();
    organization = await createOrganization(env);
  });

  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()));
    await env.dispose();
  });

  it('is summed up by the metrics process', async () => {
    await start(true);
    const app = await start(false);
    app.get(UsageMeter).count(organization.id, 'job_milliseconds', 40);
    await app.get(UsageMeter).flush();
    const answer = await get(app, '/v1/usage');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      organization_id: organization.id,
      metrics: [{ metric: 'job_milliseconds', value: 40 }],
    });
    await waitFor(
      async () => {
        await app.get(UsageMeter).flush();
        const { metrics } = (await get(app, '/v1/usage')).json<{ metrics: { metric: string; value: number }[] }>();
        return metrics.some(({ metric, value }) => metric === 'api_calls' && value >= 1);
      },
      { what: 'the calls themselves to be counted' },
    );
  });

  it.each([
    ['/v1/usage?from=yesterday', 'invalid_value', 'from'],
    ['/v1/usage?form=2026-01-01T00:00:00Z', 'unknown_field', 'form'],
    ['/v1/usage?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z', 'invalid_period', 'to'],
  ])('is refused for %s', async (url, code, param) => {
    const answer = await get(await start(false), url);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code, param });
  });

  it('is 503 metrics_unavailable when nobody answers', async () => {
    const answer = await get(await start(false), '/v1/usage');
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('2');
    expect(answer.json()).toMatchObject({ code: 'metrics_unavailable' });
  });

  it('stands in /api/metrics beside database and cache', async () => {
    const app = await start(false);
    app.get(UsageMeter).count(organization.id, 'job_milliseconds', 7);
    await app.get(UsageMeter).flush();
    const answer = await get(app, '/api/metrics');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({
      database: { status: 'ok', latency_ms: expect.any(Number) },
      cache: { hit_rate: null, reads: { miss: 0 } },
      tenant: { organization_id: organization.id, tier: 'enterprise', usage: { job_milliseconds: 7 } },
    });
  });
});
