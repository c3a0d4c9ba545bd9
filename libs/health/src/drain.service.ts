/**
 * Leaving without dropping anything. States: starting → ready → draining. Draining begins with SIGTERM, or when the
 * application is closed: `/ready` answers 503 at once; after SIGTERM all else is served for SHUTDOWN_NOTICE_MS as ever, in which
 * load balancers notice. Then nobody can connect any more, so that who did not notice is refused before a request is sent, idle
 * connections are closed, and requests that are under way are waited for; at last connections that never said anything are
 * closed, as Node would wait for their first request. What is left when the grace is over is cut off.
 */
import type { Socket } from 'node:net';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import type { FastifyInstance } from 'fastify';

/** Requests under way have the rest of the grace. */
const LONGEST_NOTICE_SHARE = 0.5;

export type ProcessState = 'starting' | 'ready' | 'draining';

@Injectable()
export class DrainService
  implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown
{
  private current: ProcessState = 'starting';
  private underWay = 0;
  private quiet: (() => void) | undefined;
  private cutOff: NodeJS.Timeout | undefined;
  private readonly sockets = new Set<Socket>();
  private closing = false;
  private endNotice!: () => void;
  /** From then on, nothing of this process may wait for its client: what would not end by itself is to be ended. */
  readonly noticeIsOver = new Promise<void>((resolve) => (this.endNotice = resolve));
  private readonly begin = () => this.beginDraining();
  private readonly fastify: FastifyInstance;

  /** Hooks in before any route exists, as Fastify's hooks hold only for routes that come after them. */
  constructor(
    host: HttpAdapterHost,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'SHUTDOWN_GRACE_MS' | 'SHUTDOWN_NOTICE_MS'>,
  ) {
    this.fastify = host.httpAdapter.getInstance<FastifyInstance>();
    this.fastify.server.on('connection', (socket: Socket) => {
      if (this.closing) return void socket.destroy();
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    this.fastify.addHook('onRequest', (_request, reply, done) => {
      this.underWay += 1;
      if (this.current === 'draining') reply.header('Connection', 'close');
      // Not onResponse: a client that went away never gets there, and would be waited for until the grace is over.
      reply.raw.once('close', () => {
        this.underWay -= 1;
        if (this.underWay === 0) this.quiet?.();
      });
      done();
    });
  }

  get state(): ProcessState {
    return this.current;
  }

  onApplicationBootstrap(): void {
    this.current = 'ready';
    process.prependOnceListener('SIGTERM', this.begin); // before any hook that may take its time
  }

  onModuleDestroy(): void {
    this.beginDraining();
  }

  async beforeApplicationShutdown(signal?: string): Promise<void> {
    if (signal === 'SIGTERM') await this.wait(this.noticeMs);
    if (this.fastify.server.listening) this.fastify.server.close();
    this.endNotice();
    if (this.underWay > 0) await new Promise<void>((resolve) => (this.quiet = resolve));
    this.closing = true;
    for (const socket of this.sockets) if (socket.bytesRead === 0) socket.destroy();
  }

  onApplicationShutdown(): void {
    clearTimeout(this.cutOff);
  }

  private get noticeMs(): number {
    const { SHUTDOWN_NOTICE_MS, SHUTDOWN_GRACE_MS } = this.config;
    return Math.min(SHUTDOWN_NOTICE_MS, SHUTDOWN_GRACE_MS * LONGEST_NOTICE_SHARE);
  }

  private beginDraining(): void {
    if (this.current === 'draining') return;
    this.current = 'draining';
    process.removeListener('SIGTERM', this.begin);
    this.cutOff = setTimeout(() => {
      this.quiet?.();
      this.fastify.server.closeAllConnections();
    }, this.config.SHUTDOWN_GRACE_MS).unref();
  }

  private wait(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
}
