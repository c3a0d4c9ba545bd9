import { Readable } from 'node:stream';
import type { HttpAdapterHost } from '@nestjs/core';
import { fastify, type FastifyInstance } from 'fastify';
import { ResponseBytes } from './response-bytes';
import type { UsageMeter } from './usage-meter';

describe('bytes out', () => {
  let server: FastifyInstance;
  let counted: [organizationId: string, metric: string, bytes: number][];

  const total = () => counted.reduce((sum, [, , bytes]) => sum + bytes, 0);

  beforeEach(async () => {
    server = fastify();
    counted = [];
    const meter = { count: (...each: [string, string, number]) => void counted.push(each) } as unknown as UsageMeter;
    const host = { httpAdapter: { getInstance: () => server } } as unknown as HttpAdapterHost;
    const bytes = new ResponseBytes(host, meter);
    server.addHook('preHandler', (request, _reply, done) => {
      const caller = request.headers['x-organization'];
      if (typeof caller === 'string') bytes.charge(request, caller);
      done();
    });
    server.get('/json', () => ({ name: 'Zelt für zwei' }));
    server.get('/buffer', () => Buffer.alloc(1_000));
    server.get('/nothing', (_request, reply) => reply.status(204).send());
    server.get('/stream', (_request, reply) =>
      reply.header('content-length', 70_000).send(Readable.from([Buffer.alloc(50_000), Buffer.alloc(20_000)])),
    );
    server.get('/broken', (_request, reply) =>
      reply.send(
        Readable.from(
          (async function* () {
            yield Buffer.alloc(3_000);
            await Promise.resolve();
            throw new Error('disk');
          })(),
        ),
      ),
    );
    server.get('/refused', () => {
      throw new Error('no');
    });
    await server.ready();
  });

  afterEach(() => server.close());

  const get = (url: string) => server.inject({ url, headers: { 'x-organization': 'a' } });

  it.each(['/json', '/buffer', '/stream', '/refused', '/nothing'])('are those of the body of %s', async (url) => {
    const { rawPayload } = await get(url);
    expect(total()).toBe(rawPayload.byteLength);
    expect(counted.every(([organizationId, metric]) => organizationId === 'a' && metric === 'bytes_out')).toBe(true);
  });

  it('are what was sent of a download that breaks off, which still breaks off', async () => {
    await get('/broken').catch(() => undefined);
    expect(total()).toBe(3_000);
  });

  it('of a request without a tenant are nobody’s', async () => {
    await server.inject({ url: '/stream' });
    expect(counted).toEqual([]);
  });
});
