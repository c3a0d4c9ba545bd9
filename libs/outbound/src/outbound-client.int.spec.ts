/** The client against real servers of this machine: what it asks, what it takes, and where it stops. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Fault, misbehave, NameServer, OutsideServer, waitFor } from '#libs/testing';
import { OutboundClient, type OutboundOptions, type OutboundRequest } from './outbound-client';
import { OutboundError, type OutboundReason } from './outbound.error';

const BOUNDS = { connectMs: 1_000, headersMs: 1_000, totalMs: 2_000, maxBytes: 100_000 };
const OPTIONS: OutboundOptions = { allowedBlocks: ['127.0.0.1'], allowsHttp: true, userAgent: 'Stockyard/spec' };
const pem = (name: string) => readFileSync(join(__dirname, '../test/tls', `${name}.pem`), 'utf8');

describe('OutboundClient', () => {
  const server = new OutsideServer();
  const client = new OutboundClient(OPTIONS);
  const get = (path = '/', options: Partial<OutboundRequest> = {}, by = client) =>
    by.request({ url: server.url + path, bounds: BOUNDS, ...options });
  const refusal = (answer: Promise<unknown>): Promise<OutboundReason> =>
    answer.then(
      () => Promise.reject(new Error('It was answered.')),
      (error: unknown) => {
        if (error instanceof OutboundError) return error.reason;
        throw error;
      },
    );

  beforeAll(() => server.start());
  afterAll(() => server.stop());
  beforeEach(() => {
    server.requests.length = 0;
  });
  afterEach(() => waitFor(async () => (await server.connections()) === 0, { what: 'every connection to end' }));

  describe('answers', () => {
    it('with status, headers and body, whatever the status', async () => {
      server.answer = (_, response) => response.writeHead(418, { 'x-pot': 'tea' }).end('short');
      const answer = await get('/pot?sugar=2');
      expect([answer.status, answer.headers['x-pot'], answer.body.toString()]).toEqual([418, 'tea', 'short']);
      const [asked] = server.requests;
      expect([asked!.method, asked!.url]).toEqual(['GET', '/pot?sugar=2']);
      expect(asked!.headers).toEqual({
        host: new URL(server.url).host,
        'user-agent': 'Stockyard/spec',
        'accept-encoding': 'gzip, identity',
        connection: 'close',
      });
    });

    it('to a POST with headers and a body', async () => {
      server.answer = (request, response) => request.pipe(response);
      const body = 'größer';
      const answer = await get('/', { method: 'POST', headers: { authorization: 'Bearer x', Host: 'other' }, body });
      expect(answer.body.toString()).toBe(body);
      expect(server.requests[0]!.headers).toMatchObject({
        authorization: 'Bearer x',
        host: new URL(server.url).host,
        'content-length': String(Buffer.byteLength(body)),
      });
    });

    it('with what gzip unpacks', async () => {
      server.answer = (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('packed'));
      expect((await get()).body.toString()).toBe('packed');
    });

    it('with a redirect as it is, and goes nowhere', async () => {
      const elsewhere = new OutsideServer();
      await elsewhere.start();
      try {
        server.answer = (_, response) => response.writeHead(302, { location: elsewhere.url }).end();
        expect((await get()).status).toBe(302);
        expect(elsewhere.requests).toEqual([]);
      } finally {
        await elsewhere.stop();
      }
    });
  });

  describe('gives up on', () => {
    const faulty = (fault: Fault) => {
      server.answer = (_, response) => misbehave(response, fault);
    };

    it.each([
      ['a server that never answers', 'hang', 'timeout', { headersMs: 150 }],
      ['headers without a body', 'headers_only', 'timeout', { totalMs: 150 }],
      ['a body that drips', 'drip', 'timeout', { totalMs: 300 }],
      ['a body without an end', 'endless', 'too_large', {}],
      ['a body that unpacks without an end', 'bomb', 'too_large', {}],
      ['an answer that breaks off', 'cut', 'unreachable', {}],
      ['a connection that is reset', 'reset', 'unreachable', {}],
      ['what is not HTTP', 'no_http', 'unreadable', {}],
    ] as const)('%s', async (_what, fault, reason, bounds) => {
      faulty(fault);
      const began = performance.now();
      expect(await refusal(get('/', { bounds: { ...BOUNDS, ...bounds } }))).toBe(reason);
      expect(performance.now() - began).toBeLessThan(1_500);
    });

    it('more bytes than it may take, before it takes them', async () => {
      server.answer = (_, response) => response.writeHead(200, { 'content-length': '100001' }).flushHeaders();
      expect(await refusal(get())).toBe('too_large');
    });

    it('takes exactly as many bytes as it may, packed or not', async () => {
      const body = Buffer.alloc(BOUNDS.maxBytes, 'x');
      server.answer = (_, response) => response.end(body);
      expect((await get()).body).toHaveLength(BOUNDS.maxBytes);
      server.answer = (_, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.concat([body, Buffer.from('x')])));
      expect(await refusal(get())).toBe('too_large');
    });

    it.each([
      ['deflate', Buffer.from('x')],
      ['gzip, gzip', gzipSync(gzipSync('x'))],
      ['gzip', Buffer.from('not packed')],
      ['gzip', gzipSync('cut off').subarray(0, 15)],
    ])('a body in the encoding %s that it cannot read', async (encoding, body) => {
      server.answer = (_, response) => response.writeHead(200, { 'content-encoding': encoding }).end(body);
      expect(await refusal(get())).toBe('unreadable');
    });

    it('headers without an end', async () => {
      server.answer = (_, response) => response.writeHead(200, { 'x-long': 'x'.repeat(20_000) }).end();
      expect(await refusal(get())).toBe('unreadable');
    });

    it('nobody at the port', async () => {
      const gone = new OutsideServer();
      await gone.start();
      const { url } = gone;
      await gone.stop();
      expect(await refusal(client.request({ url, bounds: BOUNDS }))).toBe('unreachable');
    });

    it('what its caller no longer wants', async () => {
      faulty('hang');
      const stop = new AbortController();
      const answer = refusal(get('/', { signal: stop.signal }));
      await waitFor(() => server.requests.length > 0, { what: 'the request' });
      stop.abort();
      expect(await answer).toBe('stopped');
      expect(await refusal(get('/', { signal: stop.signal }))).toBe('stopped');
    });
  });

  describe('refuses', () => {
    it.each([
      ['ftp://example.com/', 'refused_url'],
      ['file:///etc/passwd', 'refused_url'],
      ['//example.com', 'refused_url'],
      ['http://user@example.com/', 'refused_url'],
      ['http://:pass@example.com/', 'refused_url'],
      ['http://example.com/#part', 'refused_url'],
      ['http://10.0.0.1/', 'refused_address'],
      ['http://169.254.169.254/latest/meta-data/', 'refused_address'],
      ['http://2130706434/', 'refused_address'],
      ['http://0x7f.2/', 'refused_address'],
      ['http://0/', 'refused_address'],
      ['http://[::1]/', 'refused_address'],
      ['http://[::ffff:10.0.0.1]/', 'refused_address'],
      ['http://[fd00:ec2::254]/', 'refused_address'],
    ] as const)('%s as %s, before anybody is asked', async (url, reason) => {
      expect(() => client.check(url)).toThrow(
        expect.objectContaining({ reason, param: 'url', category: 'unprocessable' }),
      );
      expect(await refusal(client.request({ url, bounds: BOUNDS }))).toBe(reason);
    });

    it('http unless it is allowed', () => {
      const strict = new OutboundClient({ userAgent: 'x' });
      expect(() => strict.check('http://example.com/')).toThrow(/https:\/\//);
      expect(() => strict.check('https://example.com/feed?a=b')).not.toThrow();
    });

    it('localhost unless all of its addresses are allowed', async () => {
      const url = server.url.replace('127.0.0.1', 'localhost');
      expect(await refusal(client.request({ url, bounds: BOUNDS }))).toBe('refused_address');
      server.answer = (_, response) => response.end('here');
      const local = new OutboundClient({ ...OPTIONS, allowedBlocks: ['127.0.0.0/8', '::1'] });
      expect((await local.request({ url, bounds: BOUNDS })).body.toString()).toBe('here');
    });
  });

  describe('by a host name', () => {
    const names = new NameServer();
    let named: OutboundClient;
    const at = (host: string, options: Partial<OutboundRequest> = {}) =>
      named.request({ url: `http://${host}:${server.port}/`, bounds: BOUNDS, ...options });

    beforeAll(async () => {
      await names.start();
      named = new OutboundClient({ ...OPTIONS, dnsServers: [names.address] });
    });
    afterAll(() => names.stop());
    beforeEach(() => {
      names.questions.length = 0;
      server.answer = (_, response) => response.end('found');
    });

    it('reaches the address it was told, under the name', async () => {
      names.resolve = () => ['127.0.0.1'];
      expect((await at('stock.example.test')).body.toString()).toBe('found');
      expect(server.requests[0]!.headers.host).toBe(`stock.example.test:${server.port}`);
    });

    it('asks once, so that a second answer leads nowhere else', async () => {
      const inside = new OutsideServer({ host: '127.0.0.3' });
      await inside.start();
      try {
        // Good for the first question of each kind, and from then on another address with the same port.
        names.resolve = () => (names.questions.length <= 2 ? ['127.0.0.1'] : ['127.0.0.3']);
        expect((await at('rebind.example.test')).body.toString()).toBe('found');
        expect(names.questions).toEqual(['rebind.example.test', 'rebind.example.test']);
        expect(await refusal(at('rebind.example.test'))).toBe('refused_address');
        expect(inside.requests).toEqual([]);
      } finally {
        await inside.stop();
      }
    });

    it.each([
      [['10.0.0.1']],
      [['127.0.0.1', '192.168.0.1']],
      [['127.0.0.1', 'fd00::1']],
      [['1.1.1.1', '::ffff:127.0.0.1']],
      [['169.254.169.254', '1.1.1.1']],
    ])('refuses all of a name that leads to %j', async (addresses) => {
      names.resolve = () => addresses;
      const answer = at('inside.example.test');
      expect(await refusal(answer)).toBe('refused_address');
      await answer.catch((error: unknown) => {
        for (const address of addresses) expect((error as Error).message).not.toContain(address);
      });
      expect(server.requests).toEqual([]);
    });

    it('says that there is no such name', async () => {
      names.resolve = () => undefined;
      expect(await refusal(at('gone.example.test'))).toBe('unknown_host');
      names.resolve = () => [];
      expect(await refusal(at('empty.example.test'))).toBe('unknown_host');
    });

    it('does not wait for a name server that keeps silent', async () => {
      names.resolve = () => 'silent';
      const began = performance.now();
      expect(await refusal(at('silent.example.test', { bounds: { ...BOUNDS, connectMs: 300 } }))).toMatch(
        /timeout|unresolved/,
      );
      expect(performance.now() - began).toBeLessThan(1_000);
    });

    it('goes on with the next address where the first does not answer', async () => {
      names.resolve = () => ['127.0.0.9', '127.0.0.1'];
      const both = new OutboundClient({ ...OPTIONS, allowedBlocks: ['127.0.0.0/8'], dnsServers: [names.address] });
      const url = `http://two.example.test:${server.port}/`;
      expect((await both.request({ url, bounds: BOUNDS })).body.toString()).toBe('found');
    });
  });

  describe('over TLS', () => {
    const names = new NameServer();
    const secure = new OutsideServer({ tls: { key: pem('key'), cert: pem('cert') } });
    const at = (host: string, ca?: string) =>
      new OutboundClient({ ...OPTIONS, dnsServers: [names.address], ...(ca && { ca }) }).request({
        url: `https://${host}:${secure.port}/`,
        bounds: BOUNDS,
      });

    beforeAll(async () => {
      await Promise.all([names.start(), secure.start()]);
      names.resolve = () => ['127.0.0.1'];
      secure.answer = (_, response) => response.end('sealed');
    });
    afterAll(() => Promise.all([names.stop(), secure.stop()]));

    it('takes the certificate of the name from an authority that it knows', async () => {
      expect((await at('stock.example.test', pem('ca'))).body.toString()).toBe('sealed');
    });

    it('refuses it for another name, for an address, and from an authority that it does not know', async () => {
      expect(await refusal(at('other.example.test', pem('ca')))).toBe('untrusted');
      expect(await refusal(at('127.0.0.1', pem('ca')))).toBe('untrusted');
      expect(await refusal(at('stock.example.test'))).toBe('untrusted');
      expect(secure.requests.filter(({ headers }) => headers.host !== `stock.example.test:${secure.port}`)).toEqual([]);
    });

    it('does not fall for a server without TLS', async () => {
      const url = server.url.replace('http:', 'https:');
      expect(await refusal(client.request({ url, bounds: BOUNDS }))).toBe('unreachable');
    });

    it('bounds a handshake that never comes', async () => {
      const { createServer } = await import('node:net');
      const mute = createServer();
      await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
      const { port } = mute.address() as { port: number };
      const sockets = new Set<{ destroy(): void }>();
      mute.on('connection', (socket) => sockets.add(socket));
      const url = `https://127.0.0.1:${port}/`;
      expect(await refusal(client.request({ url, bounds: { ...BOUNDS, connectMs: 150 } }))).toBe('timeout');
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => mute.close(() => resolve()));
    });
  });
});
