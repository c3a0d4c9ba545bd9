/** Raw sockets against an application on the shared edge: what is refused, and who is cut off. */
import { RawClient, waitFor } from '#libs/testing';
import { type EdgeApp, startEdgeApp } from '../../test/edge-app';

const LIMITS = {
  URL_LIMIT_BYTES: '2000',
  QUERY_LIMIT_PARAMETERS: '20',
  HEADERS_LIMIT_BYTES: '8192',
  HEADERS_LIMIT: '30',
  HEADERS_TIMEOUT_MS: '1500',
  BODY_LIMIT_BYTES: '1000000',
  BODY_LIMIT_DEPTH: '20',
  BODY_TIMEOUT_MS: '500',
  UPLOAD_TIMEOUT_MS: '60000',
  ANSWER_WINDOW_MS: '400',
  ANSWER_MIN_BYTES_PER_SECOND: '100000',
};
const JSON_POST = 'POST /body HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
const headers = (count: number) => Array.from({ length: count }, (_, n) => `h${n}: v\r\n`).join('');

describe('the edge', () => {
  let app: EdgeApp;
  const clients: RawClient[] = [];

  const connect = async (to = app) => {
    const client = await RawClient.connect(to.port);
    clients.push(client);
    return client;
  };
  const ask = async (text: string) => (await connect()).send(text).answer();
  const get = (path: string, more = '') => ask(`GET ${path} HTTP/1.1\r\nhost: x\r\n${more}\r\n`);
  const post = (body: string) => ask(`${JSON_POST}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  const connections = (of = app) =>
    new Promise<number>((resolve) => of.server.getConnections((_, count) => resolve(count)));
  /** The server has closed all of them: a client that keeps its half open does not learn it. */
  const allGone = (timeoutMs = 6_000) =>
    waitFor(async () => (await connections()) === 0, { what: 'every connection to be gone', timeoutMs });

  beforeAll(async () => {
    app = await startEdgeApp(LIMITS);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await allGone();
  });
  afterAll(() => app.stop());

  describe('bounds of a request', () => {
    it.each([
      ['an address', () => get(`/ok?a=${'x'.repeat(1_990)}`), 200, undefined],
      ['an address too long', () => get(`/ok?a=${'x'.repeat(2_000)}`), 414, 'uri_too_long'],
      ['an address beyond what is read', () => get(`/ok?a=${'x'.repeat(20_000)}`), 414, 'uri_too_long'],
      ['a path too long', () => get(`/${'x/'.repeat(1_500)}`), 414, 'uri_too_long'],
      ['20 parameters', () => get(`/ok?${'a=1&'.repeat(19)}a=1`), 200, undefined],
      ['21 parameters', () => get(`/ok?${'a=1&'.repeat(20)}a=1`), 400, 'too_many_query_parameters'],
      ['21 parameters without a name', () => get(`/ok?${'&'.repeat(20)}`), 400, 'too_many_query_parameters'],
      ['30 headers', () => get('/ok', headers(29)), 200, undefined],
      ['31 headers', () => get('/ok', headers(30)), 431, 'too_many_headers'],
      ['500 headers', () => get('/ok', headers(500)), 431, 'too_many_headers'],
      ['headers too large', () => get('/ok', `a: ${'x'.repeat(10_000)}\r\n`), 431, 'headers_too_large'],
      ['20 levels', () => post('['.repeat(20) + ']'.repeat(20)), 201, undefined],
      ['21 levels', () => post('['.repeat(21) + ']'.repeat(21)), 400, 'body_too_deep'],
      ['a body of brackets alone', () => post('['.repeat(999_999)), 400, 'body_too_deep'],
      ['a body of nested objects', () => post('{"a":'.repeat(190_000)), 400, 'body_too_deep'],
      ['brackets in a text', () => post(`{"a":"\\"${'['.repeat(100)}"}`), 201, undefined],
      ['__proto__', () => post('{"a":{"__proto__":{"b":1}}}'), 400, 'forbidden_field'],
      ['__proto__ in disguise', () => post('{"\\u005f_proto__":{}}'), 400, 'forbidden_field'],
      ['constructor.prototype', () => post('{"constructor":{"prototype":{}}}'), 400, 'forbidden_field'],
      ['broken JSON', () => post('{"__proto__"'), 400, 'malformed_json'],
      ['a body too large', () => post(`"${'x'.repeat(1_000_000)}"`), 413, 'body_too_large'],
      ['no HTTP', () => ask('HELLO\r\n\r\n'), 400, 'malformed_request'],
    ])('%s', async (_what, send, status, code) => {
      const answer = await send();
      expect({ status: answer.status, code: answer.body.code as unknown }).toEqual({ status, code });
      if (code === undefined) return;
      expect(answer.head).toMatch(/^content-type: application\/problem\+json/im);
      expect(answer.body).toMatchObject({ status, type: 'about:blank', detail: expect.any(String) as string });
      expect(answer.head.toLowerCase()).toContain(`x-request-id: ${answer.body.request_id as string}`);
    });

    it('names the limit', async () => {
      expect((await get(`/ok?${'&'.repeat(20)}`)).body).toMatchObject({ limit: 20, param: 'query' });
      expect((await get(`/ok?a=${'x'.repeat(2_000)}`)).body).toMatchObject({ limit_bytes: 2_000 });
      expect((await get('/ok', headers(31))).body).toMatchObject({ limit: 30 });
      expect((await post('['.repeat(21))).body).toMatchObject({ limit: 20, param: 'body' });
    });

    it('refuses a body too large that did not say how large it is', async () => {
      const client = await connect();
      client.send(`${JSON_POST}transfer-encoding: chunked\r\n\r\n`);
      for (let sent = 0; sent < 20; sent += 1) client.send(`10000\r\n${'x'.repeat(0x10000)}\r\n`);
      expect(await client.answer()).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
    });
  });

  describe('slow senders', () => {
    it('cuts off a body that drips, and nothing comes of it', async () => {
      const before = app.seen.bodies;
      const client = await connect();
      client.send(`${JSON_POST}content-length: 50\r\n\r\n{"a":"`).drip('x', 50);
      const answer = await client.answer();
      expect([answer.status, answer.body.code, answer.body.limit_ms]).toEqual([408, 'body_timeout', 500]);
      expect(answer.head).toMatch(/^connection: close/im);
      await allGone();
      expect(app.seen.bodies).toBe(before);
    });

    it('does nothing of a body that comes to its end after it was refused', async () => {
      const before = app.seen.bodies;
      const client = await connect();
      client.send(`${JSON_POST}content-length: 2\r\n\r\n{`);
      expect((await client.answer()).status).toBe(408);
      client.send('}');
      await allGone();
      expect(app.seen.bodies).toBe(before);
    });

    it('lets nobody wait behind hundreds that send a header byte by byte, and is rid of them in time', async () => {
      const slow = await Promise.all(Array.from({ length: 300 }, () => connect()));
      for (const client of slow) client.send('GET /ok HTTP/1.1\r\nx: ').drip('x', 200);
      expect((await get('/ok')).status).toBe(200);
      await Promise.all(slow.map(async (client) => expect((await client.answer()).status).toBe(408)));
      await waitFor(async () => (await connections()) <= 1, { what: 'the slow ones to be gone' });
    });

    it('closes on those that keep their half open, silent or not, and never runs what they complete', async () => {
      const before = app.seen.bodies;
      const [silent, late] = [await connect(), await connect()];
      silent.send('GET /ok HTTP/1.1\r\n');
      late.send(`${JSON_POST}content-length: 2\r\n`);
      expect((await late.answer()).body).toMatchObject({ code: 'request_timeout', limit_ms: 1_500 });
      late.send('\r\n{}');
      await allGone();
      expect(app.seen.bodies).toBe(before);
    });

    it('closes on a client that connects and says nothing', async () => {
      await connect();
      expect(await connections()).toBe(1);
      await allGone();
    });
  });

  describe('refusals in the middle of a body', () => {
    const REFUSED = 'POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\n';

    it('are read by a client that sends on, which is then cut off', async () => {
      const client = await connect();
      client.send(`${REFUSED}content-length: 100000000\r\n\r\n`).drip('x'.repeat(100), 20);
      expect((await client.answer()).status).toBe(404);
      const ms = await client.ended();
      expect(ms).toBeGreaterThan(1_000);
      expect(ms).toBeLessThan(4_000);
    });

    it('are read by a client that writes all it has before it reads', async () => {
      const client = await connect();
      const body = 'x'.repeat(900_000);
      client.socket.pause();
      client.send(`${REFUSED}content-length: ${body.length}\r\n\r\n`);
      await new Promise((resolve) => client.socket.write(body, resolve));
      client.socket.resume();
      expect((await client.answer()).status).toBe(404);
    });

    it('do not let a fast client send without end', async () => {
      const client = await connect();
      client.send(`${REFUSED}transfer-encoding: chunked\r\n\r\n`);
      const chunk = `40000\r\n${'x'.repeat(0x40000)}\r\n`;
      let sent = 0;
      while (!client.isEnded && sent < 1_000) {
        await new Promise<void>((resolve) => {
          client.socket.write(chunk, () => resolve());
        });
        sent += 1;
      }
      expect(sent).toBeLessThan(100);
    });

    it('leave the connection open where the body has come to its end', async () => {
      const client = await connect();
      client.send(`${REFUSED}content-length: 3\r\n\r\nabc`);
      expect((await client.answer()).head).not.toMatch(/^connection: close/im);
    });
  });

  describe('slow readers', () => {
    it.each([
      ['a stream', '/flood'],
      ['one large answer', '/large'],
    ])('cuts off who does not read %s, though it goes on sending', async (_what, path) => {
      const client = await connect();
      client.socket.pause();
      client.send(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
      await waitFor(async () => (await connections()) === 1, { what: 'the connection' });
      client.drip('GET /ok HTTP/1.1\r\nhost: x\r\n\r\n', 50);
      await allGone();
      await waitFor(async () => app.seen.sourcesOpen === 0, { what: 'its source to be closed' });
    });

    /** Reads a megabyte every 50 ms. */
    const readSteadily = (client: RawClient) => {
      let left = 0;
      client.socket.on('data', (chunk: Buffer) => {
        left -= chunk.length;
        if (left < 0) client.socket.pause();
      });
      client.socket.pause();
      const timer = setInterval(() => {
        left = 1_000_000;
        client.socket.resume();
      }, 50);
      client.socket.once('close', () => clearInterval(timer));
    };

    it('cuts off who reads too slowly, though it reads', async () => {
      const hasty = await startEdgeApp({ ...LIMITS, ANSWER_MIN_BYTES_PER_SECOND: '1000000000' });
      const client = await connect(hasty);
      readSteadily(client);
      client.send('GET /flood HTTP/1.1\r\nhost: x\r\n\r\n');
      await waitFor(async () => hasty.seen.sourcesOpen === 1, { what: 'the stream' });
      await waitFor(async () => hasty.seen.sourcesOpen === 0, { what: 'its end', timeoutMs: 5_000 });
      await hasty.stop();
    });

    it('has patience with who reads as fast as it must', async () => {
      const client = await connect();
      readSteadily(client);
      const beganAt = performance.now();
      client.send('GET /large HTTP/1.1\r\nhost: x\r\n\r\n');
      expect((await client.answer()).body).toHaveLength(50_000_000);
      expect(performance.now() - beganAt).toBeGreaterThan(2_000);
    });

    it('has patience with an answer that is not there yet', async () => {
      const client = await connect();
      client.send('GET /held HTTP/1.1\r\nhost: x\r\n\r\n');
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      app.seen.release();
      expect((await client.answer()).body).toEqual({ state: 'released' });
    });
  });

  describe('bounds of a process', () => {
    let full: EdgeApp;
    const OK = 'GET /ok HTTP/1.1\r\nhost: x\r\n\r\n';

    beforeEach(async () => {
      full = await startEdgeApp({
        ...LIMITS,
        ...{ CONNECTIONS_LIMIT: '5', CONNECTIONS_LIMIT_IDLE: '3', HEADERS_TIMEOUT_MS: '30000' },
      });
    });
    afterEach(() => full.stop());

    const busy = async () => {
      const client = await connect(full);
      client.send('GET /held HTTP/1.1\r\nhost: x\r\n\r\n');
      return client;
    };

    it('refuses connections beyond the limit, answers probes, and takes new ones when there is room', async () => {
      const held = await Promise.all(Array.from({ length: 5 }, busy));
      const refused = await (await connect(full)).send(OK).answer();
      expect([refused.status, refused.body.code, refused.body.limit]).toEqual([503, 'too_many_connections', 5]);
      expect(refused.head).toMatch(/^connection: close/im);
      expect(refused.head).toMatch(/^retry-after: 1/im);
      for (const path of ['/live', '/ready', '/api/ready']) {
        const probe = await connect(full);
        expect((await probe.send(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`).answer()).status).toBe(200);
      }
      await connect(full); // and one that says nothing
      await waitFor(async () => (await connections(full)) === 5, { what: 'the surplus to be gone', timeoutMs: 5_000 });
      held[0]!.close();
      await waitFor(async () => (await connections(full)) === 4, { what: 'room' });
      expect((await (await connect(full)).send(OK).answer()).status).toBe(200);
    });

    it('closes connections unheard where even refusing them would be too much', async () => {
      await Promise.all(Array.from({ length: 5 }, busy));
      const flood = await Promise.all(Array.from({ length: 100 }, () => connect(full)));
      await waitFor(async () => flood.filter(({ isEnded }) => isEnded).length >= 70, { what: 'most to be closed' });
      expect(await connections(full)).toBeLessThanOrEqual(25);
    });

    it('closes the connection that has been idle for longest, and none that is busy', async () => {
      const held = await busy();
      const idle: RawClient[] = [];
      for (let count = 0; count < 4; count += 1) {
        idle.push(await connect(full));
        await idle.at(-1)!.send(OK).answer();
      }
      await idle[0]!.ended();
      const another = await connect(full); // the sixth of five at once
      const more = await connect(full);
      await idle[1]!.ended();
      expect([held, idle[2]!, idle[3]!, another, more].map(({ isEnded }) => isEnded)).toEqual(Array(5).fill(false));
    });

    it('bounds what is under way on one connection', async () => {
      const client = await connect(full);
      client.send('GET /held HTTP/1.1\r\nhost: x\r\n\r\n' + OK.repeat(120));
      await new Promise((resolve) => setTimeout(resolve, 200));
      full.seen.release();
      await waitFor(async () => client.text.split('HTTP/1.1 ').length === 122, { what: 'all answers' });
      expect(client.text.match(/HTTP\/1.1 429/g)).toHaveLength(21);
      expect(client.text).toContain('too_many_pipelined_requests');
    });
  });
});
