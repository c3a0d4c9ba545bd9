/** Every Redis that is configured, server by server, the nodes of a Redis Cluster too. One that serves several purposes is asked once. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { MetricsRegistry } from '#libs/observability';
import { CACHE_REDIS, COORDINATION_REDIS, LIMITS_REDIS, type RedisClient, redisMasters } from '#libs/redis';
import { Collectors } from '../collect/collectors.service';
import type { Source } from '../collect/collector';
import { type FigureRow, showFigures } from './figure-gauges';
import { type RedisFigure, redisFigures } from './redis-info';

interface Used {
  readonly client: RedisClient;
  readonly purposes: readonly string[];
}

@Injectable()
export class RedisGauges {
  private readonly used: readonly Used[];

  constructor(
    registry: MetricsRegistry,
    collectors: Collectors,
    @Inject(APP_CONFIG) config: AppConfig,
    @Inject(COORDINATION_REDIS) queue: RedisClient, // the server of the queues, through a client that does not wait for it
    @Inject(CACHE_REDIS) cache: RedisClient,
    @Inject(LIMITS_REDIS) limits: RedisClient,
  ) {
    const byUrl = new Map<string, { client: RedisClient; purposes: string[] }>();
    for (const [purpose, url, client] of [
      ['queue', config.REDIS_URL, queue],
      ['cache', config.redisCacheUrl, cache],
      ['limits', config.redisLimitsUrl, limits],
    ] as const) {
      const known = byUrl.get(url);
      if (known) known.purposes.push(purpose);
      else byUrl.set(url, { client, purposes: [purpose] });
    }
    this.used = [...byUrl.values()];
    const servers = collectors.make({ name: 'redis', sources: () => this.used.flatMap(sourcesOf) });
    const rows = async () => (await servers.values()).map(({ value }) => value);
    showFigures<RedisFigure>(registry, ['purpose', 'node'], rows, [
      { figure: 'memory', name: 'stockyard_redis_memory_bytes', help: 'Memory that a Redis uses.' },
      {
        figure: 'memory_max',
        name: 'stockyard_redis_memory_max_bytes',
        help: 'Memory that it may use; 0: as much as there is.',
      },
      { figure: 'clients', name: 'stockyard_redis_clients', help: 'Connections to it.' },
      { figure: 'clients_max', name: 'stockyard_redis_clients_max', help: 'Connections that it takes.' },
      {
        figure: 'evicted',
        name: 'stockyard_redis_evicted_keys_total',
        help: 'Keys that it removed to make room.',
        kind: 'counter',
      },
      {
        figure: 'expired',
        name: 'stockyard_redis_expired_keys_total',
        help: 'Keys whose time was over.',
        kind: 'counter',
      },
      {
        figure: 'hits',
        name: 'stockyard_redis_keyspace_hits_total',
        help: 'Look-ups that found their key.',
        kind: 'counter',
      },
      {
        figure: 'misses',
        name: 'stockyard_redis_keyspace_misses_total',
        help: 'Look-ups that did not.',
        kind: 'counter',
      },
      {
        figure: 'refused',
        name: 'stockyard_redis_connections_refused_total',
        help: 'Connections that it did not take because it had as many as it may.',
        kind: 'counter',
      },
    ]);
  }
}

/** A server each; what is not connected to any is one source that does not answer. */
function sourcesOf({ client, purposes }: Used): Source<FigureRow<RedisFigure>>[] {
  const purpose = purposes.join(',');
  const masters = redisMasters(client);
  if (masters.length === 0) return [{ name: purpose, read: () => Promise.reject(new Error('No node is known.')) }];
  return masters.map((server) => {
    const node = `${server.options.host ?? 'localhost'}:${server.options.port ?? 6379}`;
    return {
      name: `${purpose}/${node}`,
      read: async () => ({ labels: { purpose, node }, figures: redisFigures(await server.info()) }),
    };
  });
}
