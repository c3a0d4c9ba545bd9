/** The transport over a Redis Cluster: hints and answers arrive, and go on arriving whichever node dies or freezes. */
import { type INestApplication, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ConfigModule, loadConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { Directory } from '#libs/tenancy';
import { type LocalRedisCluster, startRedisCluster, waitFor } from '#libs/testing';
import { listenToMessages, MessagingModule, PlatformEvents } from '.';

const LISTENERS = 4;

/** A directory that only knows what it was told to forget. */
class Heard {
  readonly ids = new Set<string>();

  forget(id: string): void {
    this.ids.add(id);
  }
}

describe('the transport over a Redis Cluster', () => {
  let cluster: LocalRedisCluster;
  const apps: INestApplication[] = [];

  beforeAll(async () => {
    Logger.overrideLogger(false);
    cluster = await startRedisCluster();
    const config = loadConfig({ REDIS_URL: cluster.url, REDIS_KEY_PREFIX: 'messaging-cluster' });
    for (let n = 0; n < LISTENERS; n += 1) {
      @Module({})
      class Root {}
      const directory = { provide: Directory, useClass: Heard };
      const imports = [ConfigModule.forRoot(config), MessagingModule.forRoot(config)];
      const module = { module: Root, global: true, imports, providers: [directory], exports: [Directory] };
      const app = await NestFactory.create(module, new FastifyAdapter(), { logger: false });
      await listenToMessages(app);
      await app.init();
      apps.push(app);
    }
  }, 60_000);

  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await cluster.remove();
    Logger.overrideLogger(true);
  });

  /** From each to all. */
  const arrives = (timeoutMs: number) =>
    Promise.all(
      apps.map((from) => {
        const all = () => {
          const id = newId();
          from.get(PlatformEvents).publish('organization.changed', { organization_id: id });
          const everywhere = () => apps.every((app) => app.get<Heard>(Directory).ids.has(id));
          return waitFor(everywhere, { what: 'one hint everywhere', timeoutMs: 500, intervalMs: 5 }).then(
            () => true,
            () => false,
          );
        };
        return waitFor(all, { what: 'hints', timeoutMs, intervalMs: 50 });
      }),
    );

  it('carries hints from each process to all', () => arrives(5_000));

  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    'goes on after %s of any node',
    async (signal) => {
      for (const node of cluster.nodes) {
        await node.kill(signal);
        await arrives(15_000);
        await node.kill('SIGKILL');
        await node.start();
        await cluster.settled();
      }
    },
    120_000,
  );
});
