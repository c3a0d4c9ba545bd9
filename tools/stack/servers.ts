// Postgres, a cluster with a replica for each shard, and Redis: started here, or those that DATABASE_URL and REDIS_URL name.
import { HOME_SHARD } from '#libs/config';
import { startLocalCluster, startLocalRedis, type LocalPostgres, type LocalRedis } from '#libs/local-stack';
import { withHosts } from './database-url';
import { decideShards } from './decide-shards';
import type { LogFile } from './logs';
import type { StackOptions } from './options';
import { serverPart, type StackPart } from './part';
import { rememberedPorts, type ServerPorts } from './ports';
import type { Progress } from './progress';
import { serverName } from './shard-names';
import { StackError } from './stack-error';
import type { StateDirectory } from './state-directory';

export interface ServersInput {
  readonly options: StackOptions;
  readonly state: StateDirectory;
  readonly progress: Progress;
  readonly superuserPassword: string;
  readonly logFile: LogFile;
  /** Whether the start is to be given up. */
  readonly cancelled: () => boolean;
  /** Called as soon as a server runs, so that it is stopped even when a later one fails. */
  readonly started: (part: StackPart) => void;
}

/** URLs have the login of a user who may create roles. */
export interface StackShard {
  readonly name: string;
  /** The primary at this moment. */
  readonly databaseUrl: string;
  readonly replicaUrls: readonly string[];
  /** For the processes: every server that may be, or become, the primary. */
  readonly hostsUrl: string;
  /** For the processes: servers that serve reads only. */
  readonly readOnlyUrls: readonly string[];
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

export const DATABASE = 'stockyard';

/** Starts all of them at the same time. Rejects with the first error after all came to an end. */
export async function startServers(input: ServersInput): Promise<Servers> {
  const remembered = rememberedPorts(input.state);
  const { databaseUrl, databaseShards, replicaUrls } = input.options;
  const names = databaseUrl === undefined ? decideShards(input.state, input.options.shards) : [];
  const clusters = Promise.allSettled(names.map((name) => startShard(name, names.length > 1, input, remembered)));
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

async function startShard(
  name: string,
  isOneOfSeveral: boolean,
  { state, progress, superuserPassword: password, logFile, started, cancelled }: ServersInput,
  remembered: ServerPorts,
): Promise<{ shard: StackShard; ports: ServerPorts }> {
  const title = isOneOfSeveral ? `Postgres, shard ${name}` : 'Postgres';
  const nodes = (['postgres', 'replica'] as const).map((kind) => ({ kind, full: serverName(kind, name) }));
  const cluster = await progress.step(
    title,
    () =>
      startLocalCluster({
        password,
        nodes: nodes.map(({ kind, full }) => ({
          name: kind,
          dataDir: state.file(full),
          logFile: logFile(full),
          ...portOption(remembered[full]),
        })),
        notice: (line) => progress.line(`  ${line}`),
        started: (kind, server) =>
          started(serverPart(serverName(kind as 'postgres' | 'replica', name), server, { replaceable: true })),
        prepare: async (primary) => {
          if (cancelled()) throw new StackError('Given up.');
          await createDatabase(primary);
        },
      }),
    ({ primary, standbys }) =>
      `${title}: ${primary.binaries.version} on port ${primary.port}, replica on ${standbys.map(({ port }) => port).join()}`,
  );
  const urlOf = (server: LocalPostgres) => server.url({ database: DATABASE });
  const hosts = [cluster.primary, ...cluster.standbys];
  return {
    shard: {
      name,
      databaseUrl: urlOf(cluster.primary),
      replicaUrls: cluster.standbys.map(urlOf),
      hostsUrl: withHosts(
        urlOf(cluster.primary),
        hosts.map(({ port }) => port),
      ),
      readOnlyUrls: [],
    },
    ports: Object.fromEntries(nodes.map(({ full }, index) => [full, cluster.nodes[index]!.port])),
  };
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

async function createDatabase(server: LocalPostgres): Promise<void> {
  const present = await server.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
  if (present.length === 0) await server.query(`CREATE DATABASE ${DATABASE}`);
}

function portOption(port: number | undefined): { port?: number } {
  return port === undefined ? {} : { port };
}
