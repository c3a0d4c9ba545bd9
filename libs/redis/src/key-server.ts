/**
 * A plain connection to the server of a Redis Cluster that a key lives on, for who needs no other: it behaves as one to a single
 * server, and follows the key. It asks where the key is whenever it connects, and connects anew when it hears that it moved.
 */
import { createConnection } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { redisServers } from '#libs/config';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
import { addressOf, type ServerAddress } from './any-server';
import { keySlot } from './key-slot';
import { clusterOptions, redisOptions } from './redis-options';

/** A command that gets one of these has not been executed. ASK and TRYAGAIN: the slot is being moved. */
const ELSEWHERE = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|READONLY|MASTERDOWN) /;
const ASK_MS = 1_000;
/** Between two connections, so that a cluster which is down is not stormed. */
const APART_MS = 500;

/** Options for `new Redis`. They wait for the server as those of the purpose `queue` do. */
export function keyServerOptions(url: string, key: string): RedisOptions {
  const { urls } = redisServers(url);
  const seeds = urls.map(addressOf);
  const { username, password, tls } = clusterOptions('queue', new URL(urls[0]!)).redisOptions!;
  const login = { username, password, tls };
  const slot = keySlot(key);
  return {
    ...redisOptions('queue'),
    ...login,
    reconnectOnError: (error) => (ELSEWHERE.test(error.message) ? 2 : false), // 2: and send it again
    Connector: keyConnector((address) => masterOf(slot, { ...login, ...address }), seeds),
  };
}

function keyConnector(
  masterAt: (address: ServerAddress) => Promise<ServerAddress | undefined>,
  seeds: readonly ServerAddress[],
): NonNullable<RedisOptions['Connector']> {
  return class KeyServerConnector extends AbstractConnector {
    private turn = Math.floor(Math.random() * seeds.length);
    private connectedAt = -Infinity;
    private known: ServerAddress | undefined;
    private readonly tls: RedisOptions['tls'];

    constructor(options: unknown) {
      const { disconnectTimeout = 0, tls } = options as RedisOptions;
      super(disconnectTimeout);
      this.tls = tls;
    }

    override async connect(): ReturnType<AbstractConnector['connect']> {
      this.connecting = true;
      await pause(Math.max(0, this.connectedAt + APART_MS - performance.now()));
      const { host, port } = await this.master();
      this.connectedAt = performance.now();
      this.stream = this.tls ? connectTls({ host, port, ...this.tls }) : createConnection({ host, port });
      if (this.isGivenUp()) this.stream.destroy();
      return this.stream;
    }

    /** Whether it was disconnected while it looked where to connect. */
    private isGivenUp(): boolean {
      return !this.connecting;
    }

    /** Any server where none can tell: a failure to connect is repeated, a failure to know where would end the client. */
    private async master(): Promise<ServerAddress> {
      for (const address of [...(this.known ? [this.known] : []), ...this.inTurn()]) {
        const master = await masterAt(address);
        if (master) return (this.known = master);
      }
      return this.inTurn()[0]!;
    }

    private inTurn(): ServerAddress[] {
      this.turn = (this.turn + 1) % seeds.length;
      return [...seeds.slice(this.turn), ...seeds.slice(0, this.turn)];
    }
  };
}

/** What a server says who the master of a slot is; undefined where it does not answer or knows of none. */
async function masterOf(slot: number, server: RedisOptions & ServerAddress): Promise<ServerAddress | undefined> {
  const timeouts = { connectTimeout: ASK_MS, commandTimeout: ASK_MS, disconnectTimeout: 100 };
  const redis = new Redis({ ...server, ...timeouts, retryStrategy: () => null, enableReadyCheck: false });
  redis.on('error', () => undefined);
  try {
    const ranges = await redis.cluster('SLOTS');
    const [, , master] = ranges.find(([first, last]) => first <= slot && slot <= last) ?? [];
    return master && { host: master[0] || server.host, port: master[1] }; // no host: the one that was asked
  } catch {
    return undefined;
  } finally {
    redis.disconnect();
  }
}
