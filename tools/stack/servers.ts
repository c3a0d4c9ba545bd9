// Postgres with its replica, and Redis: started here, or those that DATABASE_URL and REDIS_URL name.
import {
  startLocalPostgres,
  startLocalRedis,
  startLocalReplica,
  type LocalPostgres,
  type LocalRedis,
} from '#libs/local-stack';
import type { LogFile } from './logs';
import type { StackOptions } from './options';
import { serverPart, type StackPart } from './part';
import { rememberedPorts, type ServerPorts } from './ports';
import type { Progress } from './progress';
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

export interface Servers {
  /** With the login of a user who may create roles. */
  readonly databaseUrl: string;
  readonly replicaUrls: readonly string[];
  readonly redisUrl: string;
  /** Of the servers that were started here. */
  readonly ports: ServerPorts;
}

export const DATABASE = 'stockyard';

/** Starts both kinds at the same time. Rejects with the first error after both came to an end. */
export async function startServers(input: ServersInput): Promise<Servers> {
  const remembered = rememberedPorts(input.state);
  const results = await Promise.allSettled([postgres(input, remembered), redis(input, remembered)]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  const [database, cache] = results as [PromiseFulfilledResult<Database>, PromiseFulfilledResult<Cache>];
  return { ...database.value, ...cache.value, ports: { ...database.value.ports, ...cache.value.ports } };
}

type Database = Pick<Servers, 'databaseUrl' | 'replicaUrls' | 'ports'>;
type Cache = Pick<Servers, 'redisUrl' | 'ports'>;

async function postgres(input: ServersInput, remembered: ServerPorts): Promise<Database> {
  const { options, state, progress, superuserPassword: password, logFile, started } = input;
  if (options.databaseUrl !== undefined) {
    return { databaseUrl: options.databaseUrl, replicaUrls: options.replicaUrls, ports: {} };
  }
  const notice = (line: string) => progress.line(`  ${line}`);
  const about = (name: 'postgres' | 'replica') => ({
    dataDir: state.file(name),
    ...portOption(remembered[name]),
    logFile: logFile(name),
    notice,
  });
  const primary = await progress.step(
    'Postgres',
    async () => {
      const server = await startLocalPostgres({ ...about('postgres'), password });
      started(serverPart('postgres', server));
      await createDatabase(server);
      return server;
    },
    (server) => `Postgres ${server.binaries.version} on port ${server.port}`,
  );
  if (input.cancelled()) throw new StackError('Given up.');
  const replica = await progress.step(
    'Postgres replica',
    async () => {
      const server = await startLocalReplica(primary, about('replica'));
      started(serverPart('replica', server));
      return server;
    },
    (server) => `Postgres replica on port ${server.port}`,
  );
  return {
    databaseUrl: primary.url({ database: DATABASE }),
    replicaUrls: [replica.url({ database: DATABASE })],
    ports: { postgres: primary.port, replica: replica.port },
  };
}

async function redis(input: ServersInput, remembered: ServerPorts): Promise<Cache> {
  const { options, state, progress, logFile, started } = input;
  if (options.redisUrl !== undefined) return { redisUrl: options.redisUrl, ports: {} };
  const server = await progress.step(
    'Redis',
    async () => {
      const begun = await startLocalRedis({
        dir: state.privateDirectory('redis'),
        ...portOption(remembered.redis),
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
