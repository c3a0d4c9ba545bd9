import { AsyncLocalStorage } from 'node:async_hooks';
import { type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { newId } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import { ClsService } from 'nestjs-cls';
import { LoggerModule, Logger as PinoLogger, type Params } from 'nestjs-pino';
import { logParams } from './logging';

@Controller()
class Endpoints {
  @Get('things/:id')
  thing(): string {
    new Logger('Things').log('looking');
    return 'thing';
  }

  @Get('v1/files/:sealed')
  file(): string {
    return 'file';
  }

  @Get('ready')
  ready(): string {
    return 'ready';
  }
}

@Module({})
class Root {}

describe('the log of requests', () => {
  const lines: Record<string, unknown>[] = [];
  const texts: string[] = [];
  let app: NestFastifyApplication;
  let tenant: TenantContextHolder;

  beforeAll(async () => {
    tenant = new TenantContextHolder(new ClsService(new AsyncLocalStorage()));
    const config = { NODE_ENV: 'production', LOG_LEVEL: 'info', version: '1.2.3' } as const;
    const { pinoHttp, ...rest } = logParams({ config, process: 'api', tenant });
    const sink = {
      write: (line: string) => {
        texts.push(line);
        lines.push(JSON.parse(line) as Record<string, unknown>);
      },
    };
    const params = { ...rest, pinoHttp: [pinoHttp, sink] } as Params;
    const module = { module: Root, imports: [LoggerModule.forRoot(params)], controllers: [Endpoints] };
    const adapter = new FastifyAdapter({ genReqId: () => 'request-7' });
    app = await NestFactory.create<NestFastifyApplication>(module, adapter, { bufferLogs: true });
    app.useLogger(app.get(PinoLogger));
    const actor = { type: 'system', id: null } as const;
    const context = { organizationId: newId(), actor, permissions: new Set<string>(), requestId: 'request-7' } as const;
    app
      .getHttpAdapter()
      .getInstance()
      .addHook('preHandler', (_request, _reply, done) => tenant.run(context, done));
    await app.listen(0, '127.0.0.1');
  });

  afterAll(async () => {
    await app.close();
    Logger.overrideLogger(true);
  });

  it('has one line a request with its id, and the same id on lines written meanwhile', async () => {
    lines.length = 0;
    await app.inject({ url: '/things/1?token=hidden', headers: { authorization: 'hidden', cookie: 'hidden' } });
    expect(lines).toEqual([
      expect.objectContaining({ message: 'looking', context: 'Things', request_id: 'request-7' }),
      expect.objectContaining({
        message: 'request completed',
        level: 'info',
        request: { id: 'request-7', method: 'GET', path: '/things/1' },
        response: { status: 200 },
        duration_ms: expect.any(Number),
      }),
    ]);
    expect(JSON.stringify(lines)).not.toContain('hidden');
  });

  it('names organization and request once in a line', async () => {
    texts.length = lines.length = 0;
    await app.inject({ url: '/things/1' });
    expect(lines[0]).toMatchObject({ message: 'looking', organization_id: expect.any(String) });
    expect(texts[0]!.match(/"request_id":/g)).toHaveLength(1);
  });

  it.each([
    '/v1/files/1.hidden.hidden?x=hidden',
    '/v1/%66iles/1.hidden.hidden',
    '/v1/files/1.hidden.hidden#hidden',
    '/%76%31/files/1.hidden.hidden',
  ])('has no link to a file: %s', async (url) => {
    lines.length = 0;
    const { body } = await app.inject({ url });
    expect(body).toBe('file'); // the route was found, so the seal is a live one
    expect(lines).toEqual([
      expect.objectContaining({ request: expect.objectContaining({ path: '/v1/files/[redacted]' }) }),
    ]);
    expect(JSON.stringify(lines)).not.toContain('hidden');
  });

  it('has no link to a file that stands in a whole address', async () => {
    lines.length = 0;
    const { port } = app.getHttpServer().address() as AddressInfo;
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const path = 'http://user:hidden@127.0.0.1/v1/files/1.hidden.hidden';
      request({ host: '127.0.0.1', port, path, agent: false }, resolve).on('error', reject).end();
    });
    expect(answer.resume().statusCode).toBe(200);
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).toContain('"/v1/files/[redacted]"');
    expect(JSON.stringify(lines)).not.toContain('hidden');
  });

  it('has a line for what no route took, and none for a probe', async () => {
    lines.length = 0;
    await app.inject({ url: '/ready' });
    await app.inject({ url: '/nowhere' });
    expect(lines.map(({ request }) => request)).toEqual([expect.objectContaining({ path: '/nowhere' })]);
  });
});
