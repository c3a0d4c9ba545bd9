/**
 * Leaving without dropping anything. States: starting → ready → draining. Draining begins with SIGTERM, or when the
 * application is closed: `/ready` answers 503 at once. After SIGTERM all else is served for SHUTDOWN_NOTICE_MS as ever, in which
 * load balancers notice, and then until nobody comes any more; each answer closes its connection. Only then does it
 * stop listening: the kernel resets connections that wait to be accepted, with the requests on them. Requests that are under way
 * are waited for. What is left when the grace is over is cut off.
 */
import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
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
/** And some of it, whoever did not notice. */
const LATEST_SHARE = 0.75;
/**
 * So often nobody was there. Times alone say nothing on a busy machine: connections wait, and Node accepts one of them in each
 * turn of its loop.
 */
const SILENT_LOOKS = 10;
const LOOK_MS = 10;
/** They tell nothing of whether a balancer has noticed. */
const PROBES = new Set(['/live', '/ready', '/health', '/api/ready', '/api/health', '/metrics']);

export type ProcessState = 'starting' | 'ready' | 'draining';

@Injectable()
export class DrainService
  implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown
{
  private current: ProcessState = 'starting';
  private underWay = 0;
  /** Connections, and requests but for probes. */
  private came = 0;
  private drainingMs = 0;
  private cutOff: NodeJS.Timeout | undefined;
  private readonly sockets = new Set<Socket>();
  private closing = false;
  private graceIsOver = false;
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
      this.came += 1;
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    this.fastify.addHook('onRequest', (request, reply, done) => {
      this.underWay += 1;
      if (!PROBES.has(request.url)) this.came += 1;
      if (this.current === 'draining') reply.header('Connection', 'close');
      // Not onResponse: a client that went away never gets there, and would be waited for until the grace is over.
      reply.raw.once('close', () => void (this.underWay -= 1));
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
    if (signal === 'SIGTERM') await delay(this.noticeMs);
    this.endNotice();
    if (signal === 'SIGTERM') await this.untilNobodyComes();
    if (this.fastify.server.listening) this.fastify.server.close();
    while (this.underWay > 0 && !this.graceIsOver) await delay(LOOK_MS);
    this.closing = true;
    for (const socket of this.sockets) if (socket.bytesRead === 0) socket.destroy(); // Node would wait for its first request
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
    this.drainingMs = performance.now();
    process.removeListener('SIGTERM', this.begin);
    this.cutOff = setTimeout(() => {
      this.graceIsOver = true;
      this.fastify.server.closeAllConnections();
    }, this.config.SHUTDOWN_GRACE_MS).unref();
  }

  private async untilNobodyComes(): Promise<void> {
    const latestMs = this.drainingMs + this.config.SHUTDOWN_GRACE_MS * LATEST_SHARE;
    let before = this.came;
    for (let looks = 0; looks < SILENT_LOOKS && performance.now() < latestMs; looks += 1) {
      await delay(LOOK_MS);
      await nextTurn(); // what has arrived has been read
      if (this.came !== before) looks = 0;
      before = this.came;
    }
  }
}
