/**
 * A connection to any server of a Redis Cluster, and to another one whenever it has to connect anew: for publishing and
 * subscribing, because a cluster passes on what is published to all of its servers.
 */
import { createConnection } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, type Cluster, Redis, type RedisOptions } from 'ioredis';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORT = 6_379;
const PULSE_MS = 2_000;

export function addressOf(url: string): ServerAddress {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? DEFAULT_PORT : Number(port) };
}

/** For the option `Connector` of a client. `servers` is asked each time, and must name one at least. */
export function anyServer(servers: () => readonly ServerAddress[]): NonNullable<RedisOptions['Connector']> {
  return class AnyServerConnector extends AbstractConnector {
    private turn = Math.floor(Math.random() * 1_024);
    private readonly tls: RedisOptions['tls'];

    constructor(options: unknown) {
      const { disconnectTimeout = 0, tls } = options as RedisOptions;
      super(disconnectTimeout);
      this.tls = tls;
    }

    override connect(): ReturnType<AbstractConnector['connect']> {
      this.connecting = true;
      const among = servers();
      const { host, port } = among[this.turn % among.length]!;
      this.turn += 1;
      this.stream = this.tls ? connectTls({ host, port, ...this.tls }) : createConnection({ host, port });
      return Promise.resolve(this.stream);
    }
  };
}

/**
 * Asks the server of a connection that only listens whether it is still there, and gives it up where no answer comes: a server
 * that vanished or froze says nothing, as one that has nothing to say. Ends with the connection.
 */
export function keepAlive(listener: Redis): void {
  const pulse = setInterval(() => {
    if (listener.status !== 'ready') return;
    const late = setTimeout(() => listener.disconnect(true), PULSE_MS).unref();
    void listener
      .ping()
      .catch(() => undefined)
      .finally(() => clearTimeout(late));
  }, PULSE_MS).unref();
  listener.once('end', () => clearInterval(pulse));
}

/** A connection of its own to listen on; it does not subscribe again by itself. `seeds` are what a cluster began from. */
export function listenerOf(client: Redis | Cluster, seeds: readonly string[]): Redis {
  if (client instanceof Redis) {
    const listener = client.duplicate({ autoResubscribe: false });
    if (client.options.sentinels) keepAlive(listener);
    return listener;
  }
  const known = () => client.nodes().map(({ options: { host, port } }) => ({ host: host!, port: port! }));
  const listener = new Redis({
    ...client.options.redisOptions,
    retryStrategy: client.options.clusterRetryStrategy,
    autoResubscribe: false,
    Connector: anyServer(() => [...known(), ...seeds.map(addressOf)]),
  });
  keepAlive(listener);
  return listener;
}
