/** A small application on the shared edge, for specs of the edge: no database, and handlers that show what reaches them. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { Body, Controller, Get, Module, Post, Query, StreamableFile } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { loadConfig } from '#libs/config';
import { ClsModule } from 'nestjs-cls';
import { LoggerModule } from 'nestjs-pino';
import { createHttpApplication } from '../src/create-http-application';

/** What the handlers did. */
export class Seen {
  bodies = 0;
  sourcesOpen = 0;
  private pass: (() => void) | undefined;

  /** Held requests go on. */
  release(): void {
    this.pass?.();
  }

  held(): Promise<void> {
    return new Promise((resolve) => (this.pass = resolve));
  }
}

export interface EdgeApp {
  readonly port: number;
  readonly server: Server;
  readonly seen: Seen;
  stop(): Promise<void>;
}

function controllerOf(seen: Seen) {
  @Controller()
  class EdgeController {
    @Get(['live', 'ready', 'api/ready'])
    live() {
      return { state: 'live' };
    }

    @Get('ok')
    ok(@Query() query: Record<string, unknown>) {
      return { parameters: Object.keys(query).length };
    }

    @Get('held')
    async held() {
      await seen.held();
      return { state: 'released' };
    }

    @Post('body')
    body(@Body() body: unknown) {
      seen.bodies += 1;
      return { type: typeof body };
    }

    /** As long as somebody reads. */
    @Get('flood')
    flood() {
      const piece = Buffer.alloc(65_536, 'x');
      const stream = new Readable({ read: () => void stream.push(piece) });
      seen.sourcesOpen += 1;
      stream.once('close', () => (seen.sourcesOpen -= 1));
      return new StreamableFile(stream);
    }

    /** One piece, far beyond what a kernel buffers. */
    @Get('large')
    large() {
      return 'x'.repeat(50_000_000);
    }
  }
  return EdgeController;
}

export async function startEdgeApp(variables: Readonly<Record<string, string>> = {}): Promise<EdgeApp> {
  const seen = new Seen();
  @Module({
    imports: [
      ClsModule.forRoot({ global: true, middleware: { mount: false } }),
      LoggerModule.forRoot({ pinoHttp: { level: 'silent' } }),
    ],
    controllers: [controllerOf(seen)],
  })
  class EdgeModule {}
  const config = loadConfig({ ...variables });
  const app: NestFastifyApplication = await createHttpApplication({ module: EdgeModule, config });
  await app.listen(0, '127.0.0.1');
  const server = app.getHttpServer();
  const { port } = server.address() as AddressInfo;
  return {
    ...{ port, server, seen },
    stop: async () => {
      seen.release();
      const closed = once(server, 'close');
      server.closeAllConnections();
      await Promise.all([app.close(), closed]);
    },
  };
}
