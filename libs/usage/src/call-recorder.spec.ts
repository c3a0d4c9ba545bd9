import { Readable } from 'node:stream';
import type { HttpAdapterHost } from '@nestjs/core';
import { fastify, type FastifyInstance } from 'fastify';
import { CallRecorder } from './call-recorder';
import type { Answered, UsageMeter } from './usage-meter';

describe('a call', () => {
  let server: FastifyInstance;
  let counted: [organizationId: string, metric: string, bytes: number, activity: string][];
  let calls: [organizationId: string, activity: string][];
  let answers: [organizationId: string, activity: string, answer: Answered][];

  const total = () => counted.reduce((sum, [, , bytes]) => sum + bytes, 0);

  beforeEach(async () => {
    server = fastify();
    [counted, calls, answers] = [[], [], []];
    const meter = {
      count: (...each: (typeof counted)[number]) => void counted.push(each),
      called: (...each: (typeof calls)[number]) => void calls.push(each),
      answered: (...each: (typeof answers)[number]) => void answers.push(each),
    } as unknown as UsageMeter;
    const host = { httpAdapter: { getInstance: () => server } } as unknown as HttpAdapterHost;
    const recorder = new CallRecorder(host, meter);
    server.addHook('preHandler', (request, reply, done) => {
      const caller = request.headers['x-organization'];
      if (typeof caller === 'string') recorder.record(request, reply, caller);
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
    server.get('/events', (_request, reply) => reply.header('content-type', 'text/event-stream').send('data: 1'));
    server.post<{ Params: { id: string } }>('/items/:id', (request, reply) => reply.status(409).send(request.body));
    await server.ready();
  });

  afterEach(() => server.close());

  const get = (url: string) => server.inject({ url, headers: { 'x-organization': 'a' } });

  it.each(['/json', '/buffer', '/stream', '/refused', '/nothing'])(
    'has the bytes out of the body of %s',
    async (url) => {
      const { rawPayload } = await get(url);
      expect(total()).toBe(rawPayload.byteLength);
      expect(counted.every(([organizationId, metric]) => organizationId === 'a' && metric === 'bytes_out')).toBe(true);
    },
  );

  it('has the bytes that were sent of a download that breaks off, which still breaks off', async () => {
    await get('/broken').catch(() => undefined);
    expect(total()).toBe(3_000);
  });

  it('of nobody counts for nobody', async () => {
    await server.inject({ url: '/stream' });
    expect([counted, calls, answers]).toEqual([[], [], []]);
  });

  it('is one of its route, with its time, and failed when the server was at fault', async () => {
    await get('/json');
    await get('/refused');
    expect(calls).toEqual([
      ['a', 'GET /json'],
      ['a', 'GET /refused'],
    ]);
    expect(answers.map(([organizationId, activity, { failed }]) => [organizationId, activity, failed])).toEqual([
      ['a', 'GET /json', false],
      ['a', 'GET /refused', true],
    ]);
    for (const [, , { durationUs }] of answers) expect(durationUs).toBeGreaterThan(0);
  });

  it('says nothing of its time where it streams events', async () => {
    await get('/events');
    expect(answers).toEqual([['a', 'GET /events', { bytesIn: 0, durationUs: undefined, failed: false }]]);
  });

  it.each([
    ['with a length', (text: string) => text],
    ['in chunks', (text: string) => Readable.from([text.slice(0, 7), text.slice(7)])],
  ])('has the bytes in of a body that comes %s, and counts as its template', async (_how, body) => {
    const text = JSON.stringify({ name: 'Zelt für zwei' });
    const headers = { 'x-organization': 'a', 'content-type': 'application/json' };
    const chunked = _how === 'in chunks' ? { 'transfer-encoding': 'chunked' } : {};
    const answer = await server.inject({
      ...{ method: 'POST', url: '/items/7', headers: { ...headers, ...chunked }, payload: body(text) },
    });
    expect([answer.statusCode, answer.payload]).toEqual([409, text]);
    expect(answers).toEqual([
      ['a', 'POST /items/:id', { bytesIn: Buffer.byteLength(text), durationUs: expect.any(Number), failed: false }],
    ]);
  });
});
