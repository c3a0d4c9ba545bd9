import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, HttpException, Module, Post, Req, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { APP_CONFIG, loadConfig, SLO_TIERS } from '#libs/config';
import { TIERS } from '#libs/tenancy';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { MetricsRegistry } from '../metrics-registry';
import { ABANDONED_MS, SloMetrics } from './slo-metrics';

let begun = (): void => undefined;
let gone = (): void => undefined;

@Controller()
class Endpoints {
  @Get('status/:status')
  answer(@Req() { params }: { params: { status: string } }): string {
    if (params.status !== '200') throw new HttpException('no', Number(params.status));
    return 'yes';
  }

  @Get('wait')
  wait(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    reply.raw.once('close', () => gone());
    begun();
    return new Promise(() => undefined);
  }

  @Post('upload')
  upload(): string {
    return 'stored';
  }
}

describe('service level indicators', () => {
  let app: NestFastifyApplication;
  let fastify: FastifyInstance;
  let registry: MetricsRegistry;
  let elapsedMs: number;
  let port: number;

  beforeAll(async () => {
    const config = loadConfig({ SLO_OBJECTIVES: '{"free":{"latency_ms":800,"availability":0.99}}' });
    registry = new MetricsRegistry();
    @Module({
      controllers: [Endpoints],
      providers: [
        SloMetrics,
        { provide: MetricsRegistry, useValue: registry },
        { provide: APP_CONFIG, useValue: config },
      ],
    })
    class Root {}
    app = await NestFactory.create<NestFastifyApplication>(Root, new FastifyAdapter(), { logger: false });
    fastify = app.getHttpAdapter().getInstance();
    fastify.addContentTypeParser('text/csv', (_request, _body, done) => done(null, undefined));
    fastify.addHook('onRequest', (incoming, reply, done) => {
      const tier = incoming.headers['x-tier'];
      if (tier) Object.assign(incoming, { tenant: { tier } });
      Object.defineProperty(reply, 'elapsedTime', { get: () => elapsedMs });
      done();
    });
    await app.listen(0, '127.0.0.1');
    ({ port } = fastify.server.address() as AddressInfo);
  });

  beforeEach(() => {
    elapsedMs = 1;
  });

  afterAll(() => app.close());

  const counted = async (tier: string): Promise<Record<string, number>> => {
    const text = await registry.text();
    const lines = text.matchAll(
      /^stockyard_slo_requests_total\{tier="(\w+)",objective="(\w+)",outcome="(\w+)"\} (\d+)$/gm,
    );
    return Object.fromEntries(
      [...lines]
        .filter(([, of]) => of === tier)
        .map(([, , objective, outcome, n]) => [`${objective} ${outcome}`, Number(n)]),
    );
  };

  const added = async (tier: string, work: () => Promise<unknown>): Promise<Record<string, number>> => {
    const before = await counted(tier);
    await work();
    const after = await counted(tier);
    return Object.fromEntries(
      Object.entries(after)
        .map(([name, n]) => [name, n - before[name]!] as const)
        .filter(([, n]) => n !== 0),
    );
  };

  const get = (status: number, tier = 'starter') =>
    app.inject({ url: `/status/${status}`, headers: tier === '' ? {} : { 'x-tier': tier } });

  it('have the tiers of the platform', () => {
    expect(SLO_TIERS).toEqual(TIERS);
  });

  it.each([
    [200, { 'availability good': 1, 'latency good': 1 }],
    [404, { 'availability good': 1 }],
    [429, {}],
    [500, { 'availability bad': 1 }],
    [503, { 'availability bad': 1 }],
  ])('count an answer of %i', async (status, expected) => {
    expect(await added('starter', () => get(status))).toEqual(expected);
    expect(await added('starter', () => get(status, 'free'))).toEqual({});
  });

  it('count answers later than the objective of the tier as bad', async () => {
    elapsedMs = 501;
    expect(await added('starter', () => get(200))).toEqual({ 'availability good': 1, 'latency bad': 1 });
    expect(await added('free', () => get(200, 'free'))).toEqual({ 'availability good': 1, 'latency good': 1 });
    elapsedMs = 500;
    expect(await added('starter', () => get(200))).toEqual({ 'availability good': 1, 'latency good': 1 });
  });

  it('do not count how long an upload took, nor who is no tenant', async () => {
    elapsedMs = 60_000;
    const upload = () =>
      app.inject({
        method: 'POST',
        url: '/upload',
        headers: { 'content-type': 'text/csv', 'x-tier': 'starter' },
        body: 'a',
      });
    expect(await added('starter', upload)).toEqual({ 'availability good': 1 });
    expect(await added('starter', () => get(500, ''))).toEqual({});
  });

  it.each([
    [ABANDONED_MS, { 'availability bad': 1 }],
    [ABANDONED_MS - 1, {}],
  ])('count a client that left after %i ms for what it is', async (after, expected) => {
    elapsedMs = after;
    const closed = new Promise<void>((resolve) => (gone = resolve));
    const leave = async () => {
      const client = request({ host: '127.0.0.1', port, path: '/wait', headers: { 'x-tier': 'starter' } });
      client.on('error', () => undefined);
      client.end();
      await reached;
      client.destroy();
      await closed;
    };
    const reached = new Promise<void>((resolve) => (begun = resolve));
    expect(await added('starter', leave)).toEqual(expected);
  });

  it('tell their objectives', async () => {
    const text = await registry.text();
    expect(text).toContain('stockyard_slo_objective_ratio{tier="free",objective="availability"} 0.99\n');
    expect(text).toContain('stockyard_slo_objective_ratio{tier="enterprise",objective="latency"} 0.95\n');
  });
});
