// Postgres, a cluster with a replica for each shard, and Redis: started here, or those that DATABASE_URL and REDIS_URL name.
import { HOME_SHARD } from '#libs/config';
import { startLocalRedis, type LocalRedis } from '#libs/local-stack';
import { decideShards } from './decide-shards';
import type { StackOptions } from './options';
import { serverPart } from './part';
import { rememberedPorts, type ServerPorts } from './ports';
import { portOption, startShard, type ServerStart, type StackShard } from './shard-cluster';

export interface ServersInput extends ServerStart {
  readonly options: StackOptions;
}

export interface Servers {
  /** The home shard first. */
  readonly shards: readonly [StackShard, ...StackShard[]];
  /** The user's own DATABASE_SHARDS. */
  readonly databaseShards: string;
  readonly redisUrl: string;
  /** Of the servers that were started here, by their names. */
  readonly ports: ServerPorts;
}

/** Starts all of them at the same time. Rejects with the first error after all came to an end. */
export async function startServers(input: ServersInput): Promise<Servers> {
  const remembered = rememberedPorts(input.state);
  const { databaseUrl, databaseShards, replicaUrls } = input.options;
  const names = databaseUrl === undefined ? decideShards(input.state, input.options.shards) : [];
  const titled = (name: string) => ({ name, title: names.length > 1 ? `Postgres, shard ${name}` : 'Postgres' });
  const clusters = Promise.allSettled(names.map((name) => startShard({ ...input, ...titled(name), remembered })));
  const [cache] = await Promise.allSettled([redis(input, remembered)]);
  const started = (await clusters).map(valueOf);
  const { redisUrl, ports } = valueOf(cache);
  const own = (url: string): StackShard => ({
    name: HOME_SHARD,
    databaseUrl: url,
    replicaUrls,
    hostsUrl: url,
    readOnlyUrls: replicaUrls,
  });
  const shards = databaseUrl === undefined ? started.map(({ shard }) => shard) : [own(databaseUrl)];
  return {
    shards: shards as [StackShard, ...StackShard[]],
    databaseShards,
    redisUrl,
    ports: Object.assign({}, ports, ...started.map((cluster) => cluster.ports)) as ServerPorts,
  };
}

function valueOf<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

async function redis(input: ServersInput, remembered: ServerPorts): Promise<{ redisUrl: string; ports: ServerPorts }> {
  const { options, state, progress, logFile, started } = input;
  if (options.redisUrl !== undefined) return { redisUrl: options.redisUrl, ports: {} };
  const server = await progress.step(
    'Redis',
    async () => {
      const begun = await startLocalRedis({
        dir: state.privateDirectory('redis'),
        ...portOption(remembered['redis']),
        persistent: true,
        logFile: logFile('redis'),
      });
      started(serverPart('redis', begun));
      return begun;
    },
    describeRedis,
  );
  return { redisUrl: server.url, ports: { redis: server.port } };
}

function describeRedis(server: LocalRedis): string {
  const memory = server.persistent ? '' : ', which forgets everything when it stops';
  return `Redis on port ${server.port}: ${server.program.label}${memory}`;
}
