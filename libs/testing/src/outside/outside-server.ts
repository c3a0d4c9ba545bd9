/** A server on this machine that stands for somebody else's: it answers as it is told, well or badly. */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createGzip } from 'node:zlib';

/** Ways of answering badly. */
export type Fault = 'hang' | 'headers_only' | 'drip' | 'endless' | 'bomb' | 'cut' | 'reset' | 'no_http';

const DRIP_MS = 20;
const CHUNK = Buffer.alloc(65_536, 0x20);

const JSON_TYPE = { 'content-type': 'application/json' };

const FAULTS: Readonly<Record<Fault, (response: ServerResponse) => void>> = {
  hang: () => undefined,
  headers_only: (response) => response.writeHead(200, JSON_TYPE).flushHeaders(),
  drip: (response) => {
    response.writeHead(200, JSON_TYPE);
    const drip = setInterval(() => response.write(' '), DRIP_MS);
    response.on('close', () => clearInterval(drip));
  },
  endless: (response) => {
    response.writeHead(200, JSON_TYPE);
    pourInto(response, response);
  },
  bomb: (response) => {
    response.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' });
    const gzip = createGzip();
    gzip.pipe(response);
    pourInto(gzip, response);
  },
  cut: (response) => {
    response.writeHead(200, { ...JSON_TYPE, 'content-length': '1000' });
    response.write('{"data":[', () => response.destroy());
  },
  reset: (response) => response.destroy(),
  no_http: (response) => response.socket?.end('220 mail.example.com ESMTP\r\n'),
};

/** Answers badly until the other side has gone. */
export function misbehave(response: ServerResponse, fault: Fault): void {
  FAULTS[fault](response);
}

interface Sink {
  write(chunk: Buffer): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

function pourInto(sink: Sink, response: ServerResponse): void {
  const pour = () => {
    while (!response.destroyed && sink.write(CHUNK));
    if (!response.destroyed) sink.once('drain', pour);
  };
  pour();
}

export interface OutsideServerOptions {
  /** Answers over TLS with this certificate; PEM. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly host?: string;
}

export class OutsideServer {
  answer: RequestListener = (_request, response) => response.end();
  /** As they came in; each is still open until it was answered. */
  readonly requests: IncomingMessage[] = [];
  private server: Server | undefined;

  constructor(private readonly options: OutsideServerOptions = {}) {}

  async start(): Promise<void> {
    const listener: RequestListener = (request, response) => {
      this.requests.push(request);
      this.answer(request, response);
    };
    const { tls, host = '127.0.0.1' } = this.options;
    this.server = tls ? createTlsServer(tls, listener) : createServer(listener);
    await new Promise<void>((resolve) => this.server!.listen(0, host, resolve));
  }

  get port(): number {
    return (this.server!.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.options.tls ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  /** Open connections. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server!.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server!.close(() => resolve()));
    this.server!.closeAllConnections();
    await closed;
  }
}
