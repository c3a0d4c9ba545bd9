/**
 * A client that speaks to a port byte by byte, for what no well-behaved one would send. It keeps its half of the connection open
 * until it is told to close.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever a server answers; specs look into it
  readonly body: any;
}

const BLANK_LINE = '\r\n\r\n';

export class RawClient {
  private readonly chunks: Buffer[] = [];
  private bytes = 0;
  private head: string | undefined;
  private readonly ending: Promise<void>;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.bytes += chunk.length;
    });
    socket.on('error', () => undefined);
    this.ending = new Promise((resolve) => {
      socket.once('end', () => resolve());
      socket.once('close', () => resolve());
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const client = new RawClient(socket);
    await once(socket, 'connect');
    return client;
  }

  send(text: string): this {
    this.socket.write(text);
    return this;
  }

  /** Sends a piece again and again, until the connection is closed or the returned function called. */
  drip(piece: string, everyMs: number): () => void {
    const timer = setInterval(() => this.socket.writable && this.socket.write(piece), everyMs);
    const stop = () => clearInterval(timer);
    this.socket.once('close', stop);
    return stop;
  }

  /** All that has come. */
  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  /** The server sends no more. */
  get isEnded(): boolean {
    return this.socket.readableEnded || this.socket.closed;
  }

  /** Resolves when the server sends no more; with how long that took. */
  async ended(): Promise<number> {
    const beganAt = performance.now();
    await this.ending;
    return performance.now() - beganAt;
  }

  /** The first answer, when all of it is there by its Content-Length. */
  async answer(): Promise<RawAnswer> {
    while (!this.isWhole()) {
      if (this.isEnded) throw new Error(`It ended after: ${this.text.slice(0, 200)}`);
      await Promise.race([new Promise((resolve) => this.socket.once('data', resolve)), this.ending]);
    }
    const head = this.head!;
    const text = this.text.slice(head.length + BLANK_LINE.length);
    const body: unknown = /json/.test(head) ? JSON.parse(text) : text;
    return { status: Number(/ (\d+)/.exec(head)?.[1]), head, body };
  }

  close(): void {
    this.socket.destroy();
  }

  private isWhole(): boolean {
    if (this.head === undefined) {
      const end = this.text.indexOf(BLANK_LINE);
      if (end === -1) return false;
      this.head = this.text.slice(0, end);
    }
    const [, length] = /^content-length: (\d+)/im.exec(this.head) ?? [];
    return this.bytes >= this.head.length + BLANK_LINE.length + Number(length ?? 0);
  }
}
