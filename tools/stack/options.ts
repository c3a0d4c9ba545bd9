// The command line and the environment of `npm start`, parsed once.
import { resolve } from 'node:path';
import { hostUrls, redisServers } from '#libs/config';
import { shardNames, STACK_SHARDS } from './shard-names';
import { StackError } from './stack-error';

export const APPLICATIONS = ['api', 'worker', 'metrics'] as const;
export type ApplicationName = (typeof APPLICATIONS)[number];

export interface StackOptions {
  readonly help: boolean;
  /** Delete this stack's data first. */
  readonly fresh: boolean;
  /** Print the log lines of every process. */
  readonly verbose: boolean;
  /** How many clusters to start. Default: as many as the kept data has, or 1. */
  readonly shards: number | undefined;
  /** Absolute path of the directory for data, secrets and logs. */
  readonly directory: string;
  /** 0 stands for any free port. */
  readonly ports: Readonly<Record<ApplicationName, number>>;
  /** A database of the user's own, with the login of a user who may create roles. */
  readonly databaseUrl: string | undefined;
  readonly replicaUrls: readonly string[];
  /** Further shards of the user's own, as in DATABASE_SHARDS; only together with a database. */
  readonly databaseShards: string;
  readonly redisUrl: string | undefined;
}

/** The variable that sets the port of each application, and its default. */
export const PORT_VARIABLES: Readonly<Record<ApplicationName, readonly [name: string, fallback: number]>> = {
  api: ['API_PORT', 3000],
  worker: ['WORKER_PORT', 3001],
  metrics: ['METRICS_PORT', 3002],
};

export const USAGE = `Usage: npm start [-- --fresh] [--shards N] [--verbose] [--help]

Starts Postgres with a replica, Redis, and the processes api, worker and metrics. Ctrl-C stops everything.

  --fresh     delete the data of this stack first
  --shards N  start N Postgres clusters, 1 to ${STACK_SHARDS}, each with a replica, and spread the tenants over them
  --verbose   print the log lines of every process
  --help      show this

Environment:
  API_PORT, WORKER_PORT, METRICS_PORT   ports (3000, 3001, 3002; 0: any free one)
  DATABASE_URL, DATABASE_REPLICA_URLS   use this Postgres (15 or newer; its user may create roles) and its replicas
  DATABASE_SHARDS                       together with DATABASE_URL: further shards
  REDIS_URL                             use this Redis (7 or newer) or Valkey
  STOCKYARD_DIR                         where data, secrets and logs are kept (.stockyard)
  STOCKYARD_PG_BIN                      directory of an installed Postgres' programs, instead of the npm package's`;

const FLAGS = ['--fresh', '--verbose', '--help'];

/** Throws a StackError for an unknown option or an unusable variable. Relative paths are seen from `root`. */
export function parseOptions(args: readonly string[], env: NodeJS.ProcessEnv, root: string): StackOptions {
  const { flags, shards } = parseArguments(args);
  const given = (name: string) => env[name]?.trim() || undefined;
  const database = databaseOptions(given);
  if (shards !== undefined && database.databaseUrl !== undefined) {
    throw new StackError('--shards starts clusters here; with DATABASE_URL, name yours in DATABASE_SHARDS.', 2);
  }
  return {
    help: flags.has('--help'),
    fresh: flags.has('--fresh'),
    verbose: flags.has('--verbose'),
    shards,
    directory: resolve(root, given('STOCKYARD_DIR') ?? '.stockyard'),
    ports: {
      api: port('api', given('API_PORT')),
      worker: port('worker', given('WORKER_PORT')),
      metrics: port('metrics', given('METRICS_PORT')),
    },
    ...database,
    redisUrl: redisUrl(given('REDIS_URL')),
  };
}

type DatabaseOptions = Pick<StackOptions, 'databaseUrl' | 'replicaUrls' | 'databaseShards'>;

function databaseOptions(given: (name: string) => string | undefined): DatabaseOptions {
  const protocols = ['postgres:', 'postgresql:'];
  const databaseUrl = given('DATABASE_URL');
  for (const host of hosts(databaseUrl)) url('DATABASE_URL', host, protocols);
  const replicaUrls = (given('DATABASE_REPLICA_URLS') ?? '').split(',').flatMap((part) => part.trim() || []);
  for (const replica of replicaUrls) url('DATABASE_REPLICA_URLS', replica, protocols);
  if (databaseUrl === undefined) return { databaseUrl, replicaUrls: [], databaseShards: '' };
  return { databaseUrl, replicaUrls, databaseShards: given('DATABASE_SHARDS') ?? '' };
}

function hosts(databaseUrl: string | undefined): string[] {
  if (databaseUrl === undefined) return [];
  try {
    return hostUrls(databaseUrl);
  } catch {
    return [databaseUrl];
  }
}

function parseArguments(args: readonly string[]): { flags: ReadonlySet<string>; shards: number | undefined } {
  const flags = new Set<string>();
  let shards: number | undefined;
  for (let index = 0; index < args.length; index += 1) {
    const [name, value] = (args[index] ?? '').split('=', 2) as [string, string | undefined];
    if (name === '--shards') {
      const count = value ?? args[(index += 1)] ?? '';
      if (!/^\d+$/.test(count) || shardNames(Number(count)) === undefined) {
        throw new StackError(`--shards needs a number from 1 to ${STACK_SHARDS}.`, 2);
      }
      shards = Number(count);
    } else if (FLAGS.includes(name) && value === undefined) flags.add(name);
    else throw new StackError(`Unknown option "${args[index] ?? ''}".\n\n${USAGE}`, 2);
  }
  return { flags, shards };
}

function port(application: ApplicationName, text: string | undefined): number {
  const [name, fallback] = PORT_VARIABLES[application];
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 65_535) return value;
  throw new StackError(`${name} must be a port from 0 to 65535.`);
}

function redisUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    redisServers(text);
    return text;
  } catch {
    throw new StackError('REDIS_URL must be a URL that begins with redis://');
  }
}

// A URL may hold a password: the error does not repeat it.
function url(name: string, text: string | undefined, protocols: readonly string[]): string | undefined {
  if (text === undefined) return undefined;
  if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return text;
  throw new StackError(`${name} must be a URL that begins with ${protocols[0] ?? ''}//`);
}
