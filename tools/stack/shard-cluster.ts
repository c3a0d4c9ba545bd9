// One Postgres cluster of the stack: a primary and its replica, in the directories that an earlier start may have left.
import { startLocalCluster, type LocalCluster, type LocalPostgres } from '#libs/local-stack';
import { withHosts } from './database-url';
import type { LogFile } from './logs';
import { serverPart, type StackPart } from './part';
import type { ServerPorts } from './ports';
import type { Progress } from './progress';
import { serverName } from './shard-names';
import { StackError } from './stack-error';
import type { StateDirectory } from './state-directory';

/** What the start of any server needs. */
export interface ServerStart {
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

export interface ShardStart extends ServerStart {
  readonly name: string;
  /** What the terminal calls it. */
  readonly title: string;
  /** Ports of the last start. */
  readonly remembered: ServerPorts;
}

export interface StartedShard {
  readonly shard: StackShard;
  readonly ports: ServerPorts;
}

const DATABASE = 'stockyard';
const KINDS = ['postgres', 'replica'] as const;

/** Rejects with a StackError or ServerError; what was started until then was told to `started`. */
export async function startShard(input: ShardStart): Promise<StartedShard> {
  const { name, title, state, progress, superuserPassword: password, logFile, remembered } = input;
  const servers = KINDS.map((kind) => ({ kind, server: serverName(kind, name) }));
  const nodes = servers.map(({ kind, server }) => ({
    name: kind,
    dataDir: state.file(server),
    logFile: logFile(server),
    ...portOption(remembered[server]),
  }));
  const start = () =>
    startLocalCluster({
      password,
      nodes,
      notice: (line) => progress.line(`  ${line}`),
      started: (kind, server) => {
        input.started(serverPart(serverName(kind as (typeof KINDS)[number], name), server, { replaceable: true }));
      },
      prepare: async (primary) => {
        if (input.cancelled()) throw new StackError('Given up.');
        await createDatabase(primary);
      },
    });
  const cluster = await progress.step(title, start, ({ primary, standbys }) => {
    const replicas = standbys.map(({ port }) => port).join();
    return `${title}: ${primary.binaries.version} on port ${primary.port}, replica on ${replicas}`;
  });
  const ports = servers.map(({ server }, index) => [server, cluster.nodes[index]!.port] as const);
  return { shard: describeShard(name, cluster), ports: Object.fromEntries(ports) };
}

function describeShard(name: string, { primary, standbys }: LocalCluster): StackShard {
  const urlOf = (server: LocalPostgres) => server.url({ database: DATABASE });
  const ports = [primary, ...standbys].map(({ port }) => port);
  return {
    name,
    databaseUrl: urlOf(primary),
    replicaUrls: standbys.map(urlOf),
    hostsUrl: withHosts(urlOf(primary), ports),
    readOnlyUrls: [],
  };
}

async function createDatabase(server: LocalPostgres): Promise<void> {
  const present = await server.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
  if (present.length === 0) await server.query(`CREATE DATABASE ${DATABASE}`);
}

/** The remembered port as an option, which a server takes when it is still free. */
export function portOption(port: number | undefined): { port?: number } {
  return port === undefined ? {} : { port };
}
