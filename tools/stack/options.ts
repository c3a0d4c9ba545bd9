// The command line and the environment of `npm start`, parsed once.
import { resolve } from 'node:path';
import { StackError } from './stack-error';

export const APPLICATIONS = ['api', 'worker', 'metrics'] as const;
export type ApplicationName = (typeof APPLICATIONS)[number];

export interface StackOptions {
  readonly help: boolean;
  /** Delete this stack's data first. */
  readonly fresh: boolean;
  /** Print the log lines of every process. */
  readonly verbose: boolean;
  /** Absolute path of the directory for data, secrets and logs. */
  readonly directory: string;
  /** 0 stands for any free port. */
  readonly ports: Readonly<Record<ApplicationName, number>>;
  /** A database of the user's own, with the login of a user who may create roles. */
  readonly databaseUrl: string | undefined;
  readonly replicaUrls: readonly string[];
  readonly redisUrl: string | undefined;
}

/** The variable that sets the port of each application, and its default. */
export const PORT_VARIABLES: Readonly<Record<ApplicationName, readonly [name: string, fallback: number]>> = {
  api: ['API_PORT', 3000],
  worker: ['WORKER_PORT', 3001],
  metrics: ['METRICS_PORT', 3002],
};

export const USAGE = `Usage: npm start [-- --fresh] [--verbose] [--help]

Starts Postgres with a replica, Redis, and the processes api, worker and metrics. Ctrl-C stops everything.

  --fresh     delete the data of this stack first
  --verbose   print the log lines of every process
  --help      show this

Environment:
  API_PORT, WORKER_PORT, METRICS_PORT   ports (3000, 3001, 3002; 0: any free one)
  DATABASE_URL, DATABASE_REPLICA_URLS   use this Postgres (15 or newer; its user may create roles) and its replicas
  REDIS_URL                             use this Redis (7 or newer) or Valkey
  STOCKYARD_DIR                         where data, secrets and logs are kept (.stockyard)
  STOCKYARD_PG_BIN                      directory of an installed Postgres' programs, instead of the npm package's`;

const FLAGS = ['--fresh', '--verbose', '--help'];

/** Throws a StackError for an unknown option or an unusable variable. Relative paths are seen from `root`. */
export function parseOptions(args: readonly string[], env: NodeJS.ProcessEnv, root: string): StackOptions {
  const unknown = args.find((arg) => !FLAGS.includes(arg));
  if (unknown !== undefined) throw new StackError(`Unknown option "${unknown}".\n\n${USAGE}`, 2);
  const given = (name: string) => env[name]?.trim() || undefined;
  const databaseUrl = url('DATABASE_URL', given('DATABASE_URL'), ['postgres:', 'postgresql:']);
  const replicaUrls = (given('DATABASE_REPLICA_URLS') ?? '').split(',').flatMap((part) => part.trim() || []);
  for (const replica of replicaUrls) url('DATABASE_REPLICA_URLS', replica, ['postgres:', 'postgresql:']);
  return {
    help: args.includes('--help'),
    fresh: args.includes('--fresh'),
    verbose: args.includes('--verbose'),
    directory: resolve(root, given('STOCKYARD_DIR') ?? '.stockyard'),
    ports: {
      api: port('api', given('API_PORT')),
      worker: port('worker', given('WORKER_PORT')),
      metrics: port('metrics', given('METRICS_PORT')),
    },
    databaseUrl,
    replicaUrls: databaseUrl === undefined ? [] : replicaUrls,
    redisUrl: url('REDIS_URL', given('REDIS_URL'), ['redis:', 'rediss:']),
  };
}

function port(application: ApplicationName, text: string | undefined): number {
  const [name, fallback] = PORT_VARIABLES[application];
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 65_535) return value;
  throw new StackError(`${name} must be a port from 0 to 65535.`);
}

// A URL may hold a password: the error does not repeat it.
function url(name: string, text: string | undefined, protocols: readonly string[]): string | undefined {
  if (text === undefined) return undefined;
  if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return text;
  throw new StackError(`${name} must be a URL that begins with ${protocols[0] ?? ''}//`);
}
