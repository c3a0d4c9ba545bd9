/** Tells what becomes of the servers behind a client, each by itself; a single one, or the master that Sentinels name, is ''. */
import { Cluster, type Redis } from 'ioredis';
import { keySlot } from './key-slot';
import type { RedisClient } from './redis-client';

export interface ServerListener {
  /** The connection broke, or did not come about. */
  broken?(server: string): void;
  ready?(server: string): void;
  /** It serves keys that another one served before; the last that was written to that one may be missing. */
  tookOver?(server: string): void;
}

export class ServerWatch {
  /** Of each slot, as last seen. */
  private readonly owners: (string | undefined)[] = [];
  private readonly ends: (() => void)[] = [];

  constructor(
    private readonly client: RedisClient,
    private readonly listener: ServerListener,
  ) {
    if (client instanceof Cluster) this.watchCluster(client);
    else this.watch('', client);
  }

  /** Where a key lives at the moment. A server that has taken it over is told of before the answer. */
  serverOf(key: string): string {
    if (!(this.client instanceof Cluster)) return '';
    const slot = keySlot(key);
    if (this.isNewOwner(this.client, slot)) this.listener.tookOver?.(this.owners[slot]!);
    return this.owners[slot] ?? '';
  }

  close(): void {
    for (const end of this.ends.splice(0)) end();
  }

  private watchCluster(cluster: Cluster): void {
    const join = (node: Redis) => this.watch(addressOf(node), node);
    const compare = () => {
      const found = new Set<string>();
      for (let slot = 0; slot < cluster.slots.length; slot += 1)
        if (this.isNewOwner(cluster, slot)) found.add(this.owners[slot]!);
      for (const server of found) this.listener.tookOver?.(server);
    };
    cluster.nodes().forEach(join);
    cluster.on('+node', join).on('refresh', compare);
    this.ends.push(() => cluster.off('+node', join).off('refresh', compare));
  }

  private watch(server: string, redis: Redis): void {
    const broken = () => this.listener.broken?.(server);
    let place = placeOf(redis);
    const ready = () => {
      this.listener.ready?.(server);
      const before = place;
      place = placeOf(redis);
      if (redis.options.sentinels && before !== '' && before !== place) this.listener.tookOver?.(server);
    };
    redis.on('close', broken).on('ready', ready);
    const end = () => redis.off('close', broken).off('ready', ready);
    this.ends.push(end);
    if (this.client === redis) return;
    redis.once('end', () => {
      end();
      this.ends.splice(this.ends.indexOf(end), 1);
    });
  }

  /** Notes who serves a slot; true where another one did before. */
  private isNewOwner({ slots }: Cluster, slot: number): boolean {
    const owner = slots[slot]?.[0];
    const before = this.owners[slot];
    if (owner === undefined || owner === before) return false;
    this.owners[slot] = owner;
    return before !== undefined;
  }
}

/** Where it is connected to; '' before the first connection. */
function placeOf(redis: Redis): string {
  const stream = redis.stream as Redis['stream'] | undefined;
  return stream?.remotePort === undefined ? '' : `${stream.remoteAddress}:${stream.remotePort}`;
}

function addressOf({ options: { host, port } }: Redis): string {
  return `${host}:${port}`;
}
