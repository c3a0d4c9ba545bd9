import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { waitFor } from '#libs/local-stack';
import { Way } from './way';

/** Answers every chunk with the same bytes, and keeps what it received. */
class Echo {
  received = '';
  readonly connections = new Set<Socket>();
  private readonly server: Server = createServer({ noDelay: true }, (socket) => {
    this.connections.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.connections.delete(socket));
    socket.on('data', (chunk) => {
      this.received += chunk.toString();
      socket.write(chunk);
    });
  });

  async start(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `tcp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.connections) socket.destroy();
    await closed;
  }
}

class Caller {
  received = '';
  private constructor(readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => (this.received += chunk.toString()));
  }

  static async to(url: string): Promise<Caller> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    return new Caller(socket);
  }

  async roundTripMs(): Promise<number> {
    const began = performance.now();
    const answered = once(this.socket, 'data');
    this.socket.write('x');
    await answered;
    return performance.now() - began;
  }

  hears(text: string): Promise<unknown> {
    return waitFor(() => this.received === text, { what: `to hear ${text}`, intervalMs: 1 });
  }
}

describe('a way to a server', () => {
  let echo: Echo;
  let target: string;
  let way: Way;

  const open = async (roundTripMs = 0): Promise<Caller> => {
    way = new Way(target, { roundTripMs });
    await way.open();
    return Caller.to(way.url);
  };

  beforeEach(async () => {
    echo = new Echo();
    target = await echo.start();
  });
  afterEach(async () => {
    await way.cut();
    await echo.stop();
  });

  it('leads there and back', async () => {
    const caller = await open();
    caller.socket.write('hello');
    await caller.hears('hello');
  });

  it('swallows everything', async () => {
    const caller = await open();
    way.swallow();
    caller.socket.write('lost');
    const direct = await Caller.to(target);
    direct.socket.write('direct');
    await direct.hears('direct');
    direct.socket.destroy();
    expect([echo.received, caller.received]).toEqual(['direct', '']);
  });

  it('swallows the answers alone: what was sent reaches the server', async () => {
    const caller = await open();
    way.swallowAnswers();
    caller.socket.write('commit');
    await waitFor(() => echo.received === 'commit', { what: 'the request to arrive' });
    const direct = await Caller.to(target);
    direct.socket.write('later');
    await direct.hears('later');
    direct.socket.destroy();
    expect(caller.received).toBe('');
  });

  it('breaks connections when it is cut, refuses new ones, and opens again on the same port', async () => {
    const caller = await open(20);
    const { url } = way;
    caller.socket.write('on its way');
    const closed = new Promise((resolve) => caller.socket.once('close', resolve)); // by an error or not
    await way.cut();
    await closed;
    await expect(Caller.to(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await way.open();
    expect(way.url).toBe(url);
    const again = await Caller.to(url);
    again.socket.write('again');
    await again.hears('again');
    expect([echo.received, caller.received]).toEqual(['again', '']);
  });

  it('closes the other side when one side closes, after what was sent before', async () => {
    const caller = await open(6);
    caller.socket.end('last words');
    await once(caller.socket, 'close');
    await waitFor(() => echo.connections.size === 0, { what: 'the server’s side to close' });
    expect(echo.received).toBe('last words');
  });

  it('keeps the order of many chunks on their way at once, and lets them overlap', async () => {
    const caller = await open(60);
    const began = performance.now();
    const words = Array.from({ length: 40 }, (_, index) => `${index},`);
    for (const word of words) {
      caller.socket.write(word);
      await new Promise(setImmediate);
    }
    await caller.hears(words.join(''));
    // One after the other they would take 40 × 60 ms.
    expect(performance.now() - began).toBeLessThan(1_200);
  });

  it('becomes long and short again while it is used, and nothing overtakes', async () => {
    const caller = await open();
    way.becomeLong(60);
    expect(await caller.roundTripMs()).toBeGreaterThanOrEqual(60);
    const began = performance.now();
    caller.socket.write('first,');
    await waitFor(() => echo.received === 'xfirst,', { what: 'the first to arrive', intervalMs: 1 });
    way.becomeLong(0);
    caller.socket.write('second');
    await caller.hears('xfirst,second');
    expect(performance.now() - began).toBeGreaterThanOrEqual(60);
    expect(await caller.roundTripMs()).toBeLessThan(50);
  });

  it.each([1, 2, 3.5])(
    'adds %d ms to a round trip: never less, and no more than that unless the machine is busy',
    async (ms) => {
      const caller = await open(ms);
      const times: number[] = [];
      for (let round = 0; round < 200; round += 1) times.push(await caller.roundTripMs());
      const least = Math.min(...times);
      expect(least).toBeGreaterThanOrEqual(ms);
      expect(least).toBeLessThan(ms + 1);
    },
  );
});
