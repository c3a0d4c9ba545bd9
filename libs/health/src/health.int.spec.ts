import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Controller, Get, Logger, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type AppConfig, ConfigModule, loadConfig } from '#libs/config';
import { DatabaseModule } from '#libs/database';
import { createHttpApplication } from '#libs/http';
import { ObservabilityModule } from '#libs/observability';
import { RedisModule } from '#libs/redis';
import { FileStore } from '#libs/storage';
import { TenancyModule } from '#libs/tenancy';
import { createTestEnvironment, type TestEnvironment, waitFor, Way } from '#libs/testing';
import { type HealthReport, HealthModule } from '.';

@Controller()
class SlowEndpoint {
  static finish: () => void = () => undefined;
  static entered = false;

  @Get('slow')
  async slow(): Promise<string> {
    await new Promise<void>((resolve) => {
      SlowEndpoint.finish = resolve;
      SlowEndpoint.entered = true;
    });
    return 'done';
  }
}

class Files {
  private out = false;

  turn(out: boolean): void {
    this.out = out;
  }

  check(): Promise<void> {
    return this.out ? Promise.reject(new Error('ENOSPC: no space left on device, /srv/files')) : Promise.resolve();
  }
}

describe('health', () => {
  let env: TestEnvironment;
  let app: NestFastifyApplication;
  const files = new Files();
  const ways: Way[] = [];
  let database: Way, cache: Way, queue: Way;

  const start = async (config: AppConfig): Promise<NestFastifyApplication> => {
    @Module({})
    class Root {}
    const module = {
      module: Root,
      global: true,
      imports: [
        ConfigModule.forRoot(config),
        TenancyModule,
        DatabaseModule.forRoot({ config, applicationName: 'test' }),
        RedisModule.forRoot(config),
        ObservabilityModule.forRoot({ config, process: 'api' }),
        HealthModule,
      ],
      controllers: [SlowEndpoint],
      providers: [{ provide: FileStore, useValue: files }],
      exports: [FileStore],
    };
    const started = await createHttpApplication({ module, config });
    await started.init();
    await started.getHttpAdapter().getInstance().ready();
    return started;
  };

  beforeAll(async () => {
    env = await createTestEnvironment();
    [database, cache, queue] = [env.config.DATABASE_URL, env.config.REDIS_URL, env.config.REDIS_URL].map(
      (url) => new Way(url),
    ) as [Way, Way, Way];
    ways.push(database, cache, queue);
    await Promise.all(ways.map((way) => way.open()));
    const config = loadConfig({
      ...env.variables,
      DATABASE_URL: database.url,
      DATABASE_REPLICA_URLS: '',
      REDIS_CACHE_URL: cache.url,
      REDIS_URL: queue.url,
      DATABASE_POOL_WAIT_MS: '2000',
      SHUTDOWN_GRACE_MS: '2000',
    });
    app = await start(config);
    Logger.overrideLogger(false);
  });

  afterAll(async () => {
    await app.close();
    await Promise.all(ways.map((way) => way.cut()));
    await env.dispose();
    Logger.overrideLogger(true);
  });

  const get = async (url: string) => {
    const reply = await app.inject({ method: 'GET', url });
    return { status: reply.statusCode, body: reply.json<HealthReport>() };
  };
  const until = (status: HealthReport['status']) =>
    waitFor(
      async () => {
        const found = await get('/health');
        return found.body.status === status ? found : undefined;
      },
      { what: `the process to be ${status}`, timeoutMs: 20_000, intervalMs: 100 },
    );

  it('is healthy when everything is there', async () => {
    const { status, body } = await until('healthy');
    expect(status).toBe(200);
    expect(Object.keys(body).sort()).toEqual(['checks', 'status', 'timestamp', 'version']);
    expect(Object.keys(body.checks)).toEqual(['database', 'cache', 'queue', 'storage']);
    for (const check of Object.values(body.checks)) {
      expect(check).toEqual({ status: 'ok', latency_ms: expect.any(Number) });
    }
    expect(body.version).toBe(env.config.version);
    await expect(get('/api/health')).resolves.toMatchObject({ status: 200, body: { status: 'healthy' } });
    await expect(get('/api/ready')).resolves.toMatchObject({ status: 200, body: { status: 'ready' } });
  });

  it('shares one report a second among all who ask', async () => {
    const check = jest.spyOn(files, 'check');
    const reports = await Promise.all(Array.from({ length: 20 }, () => get('/health')));
    expect(new Set(reports.map(({ body }) => body.timestamp)).size).toBeLessThanOrEqual(2); // two when the second turns
    expect(check.mock.calls.length).toBeLessThanOrEqual(2);
    check.mockRestore();
  });

  it.each([
    ['cache', () => cache.cut(), () => cache.open()],
    ['queue', () => queue.cut(), () => queue.open()],
    ['storage', () => files.turn(true), () => files.turn(false)],
  ] as const)('is degraded, and still answers 200, without %s', async (name, out, back) => {
    await out();
    const { status, body } = await until('degraded');
    expect(status).toBe(200);
    expect(body.checks[name]).toMatchObject({
      status: 'error',
      error: expect.stringMatching(/^(unreachable|failed)$/),
    });
    expect(JSON.stringify(body)).not.toMatch(/127\.0\.0\.1|srv/);
    await back();
    await until('healthy');
  });

  it('is unhealthy, with 503, without a primary, while the process stays live and ready', async () => {
    await database.cut();
    const { status, body } = await until('unhealthy');
    expect(status).toBe(503);
    expect(body.checks.database).toMatchObject({ status: 'error', error: 'unreachable' });
    await expect(get('/live')).resolves.toMatchObject({ status: 200, body: { status: 'live' } });
    await expect(get('/ready')).resolves.toMatchObject({ status: 200, body: { status: 'ready' } });
    await database.open();
    await until('healthy');
  });

  it('gives a primary that says nothing one second', async () => {
    database.swallow();
    const { body } = await until('unhealthy');
    expect(body.checks.database).toMatchObject({ error: 'timeout' });
    expect(body.checks.database!.latency_ms).toBeGreaterThanOrEqual(950);
    expect(body.checks.database!.latency_ms).toBeLessThan(2_000);
    await database.cut();
    await database.open();
    await until('healthy');
  });

  it('answers 503 to /ready first, finishes what is under way, then closes', async () => {
    const leaving = await start({ ...env.config, SHUTDOWN_GRACE_MS: 5_000 });
    const slow = leaving.inject({ method: 'GET', url: '/slow' });
    await waitFor(() => SlowEndpoint.entered, { what: 'the request', intervalMs: 5 });
    let closed = false;
    const closing = leaving.close().then(() => void (closed = true));
    await waitFor(async () => (await leaving.inject({ url: '/ready' })).statusCode === 503, { what: '503' });
    expect((await leaving.inject({ url: '/live' })).statusCode).toBe(200);
    expect(closed).toBe(false);
    SlowEndpoint.finish();
    expect((await slow).body).toBe('done');
    await closing;
  });

  const listening = async (options: Partial<AppConfig>) => {
    const leaving = await start({ ...env.config, ...options });
    await leaving.listen(0, '127.0.0.1');
    const { close } = leaving as { close(signal: NodeJS.Signals): Promise<void> };
    const url = await leaving.getUrl();
    const ask = () =>
      fetch(`${url}/none`).then(
        ({ status, headers }) => [status, headers.get('connection')],
        (error: unknown) => ((error as Error).cause as { code: string }).code,
      );
    return { url, ask, server: leaving.getHttpServer(), leave: () => close.call(leaving, 'SIGTERM') };
  };

  it('serves as ever for the notice after SIGTERM, then lets nobody connect, and finishes what is under way', async () => {
    const { url, ask, server, leave } = await listening({ SHUTDOWN_GRACE_MS: 20_000, SHUTDOWN_NOTICE_MS: 400 });
    SlowEndpoint.entered = false;
    const slow = fetch(`${url}/slow`);
    await waitFor(() => SlowEndpoint.entered, { what: 'the request', intervalMs: 5 });
    const began = performance.now();
    let closed = false;
    const closing = leave().then(() => void (closed = true));
    expect((await fetch(`${url}/ready`)).status).toBe(503);
    expect(await ask()).toEqual([404, 'close']);
    await waitFor(() => !server.listening, { what: 'the end of the notice', intervalMs: 5 });
    expect(performance.now() - began).toBeGreaterThan(390);
    expect(await ask()).toBe('ECONNREFUSED');
    expect(closed).toBe(false);
    SlowEndpoint.finish();
    expect(await (await slow).text()).toBe('done');
    await closing;
  });

  it('goes on serving who has not noticed, for three quarters of the grace', async () => {
    const { url, ask, leave } = await listening({ SHUTDOWN_GRACE_MS: 2_000, SHUTDOWN_NOTICE_MS: 500 });
    const began = performance.now();
    const closing = leave();
    const refused = async () => {
      await fetch(`${url}/ready`).catch(() => undefined);
      const answer = await ask();
      if (typeof answer === 'string') return answer;
      expect(answer).toEqual([404, 'close']);
      return undefined;
    };
    expect(await waitFor(refused, { what: 'the end', intervalMs: 5 })).toMatch(/^ECONN/);
    expect(performance.now() - began).toBeGreaterThan(1_490);
    await closing;
  });

  it('answers a request whose beginning had arrived before everything was closed', async () => {
    const leaving = await start({ ...env.config, SHUTDOWN_GRACE_MS: 20_000 });
    await leaving.listen(0, '127.0.0.1');
    const server = leaving.getHttpServer();
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const half = connect((server.address() as { port: number }).port, '127.0.0.1');
    half.write('GET /live HTTP/1.1\r\nHost: x\r\n');
    const [socket] = await accepted;
    await waitFor(() => socket.bytesRead > 0, { what: 'the first half', intervalMs: 5 });
    const idle = jest.spyOn(server, 'closeIdleConnections');
    const closing = leaving.close();
    await waitFor(() => idle.mock.calls.length > 1, { what: 'the routes to be closed', intervalMs: 5 });
    const answered = once(half, 'data');
    half.write('\r\n');
    expect(String(await answered)).toMatch(/^HTTP\/1\.1 200 OK\r\n(.*\r\n)*connection: close\r\n/i);
    await closing;
  });

  it('does not wait for a client that went away in the middle of its request', async () => {
    const leaving = await start({ ...env.config, SHUTDOWN_GRACE_MS: 20_000 });
    await leaving.listen(0, '127.0.0.1');
    const { port } = leaving.getHttpServer().address() as { port: number };
    const socket = connect(port, '127.0.0.1');
    let arrived = false;
    leaving.getHttpServer().once('request', () => (arrived = true));
    socket.write(
      'POST /slow HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"half":',
    );
    await waitFor(() => arrived, { what: 'the head of the request', intervalMs: 5 });
    socket.destroy();
    const began = Date.now();
    await leaving.close();
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  it('does not wait for a client that connected and says nothing', async () => {
    const leaving = await start({ ...env.config, SHUTDOWN_GRACE_MS: 20_000 });
    await leaving.listen(0, '127.0.0.1');
    const { port } = leaving.getHttpServer().address() as { port: number };
    const accepted = once(leaving.getHttpServer(), 'connection');
    const silent = connect(port, '127.0.0.1').on('error', () => undefined);
    const gone = once(silent, 'close');
    await accepted;
    const began = Date.now();
    await leaving.close();
    await gone;
    expect(Date.now() - began).toBeLessThan(10_000);
  });
});
