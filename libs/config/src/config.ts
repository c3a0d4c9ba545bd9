/** Parses the environment into the configuration object that libraries get their slices of. */
import { Compile } from 'typebox/compile';
import { DEVELOPMENT_SECRET, ENVIRONMENT_SCHEMA, type Environment } from './environment.schema';

/** Roles of the database a process can log in as. */
export type DatabaseRole = 'app' | 'relay' | 'control' | 'monitor' | 'owner';

export interface AppConfig extends Readonly<Environment> {
  readonly replicaUrls: readonly string[];
  readonly redisCacheUrl: string;
  readonly redisLimitsUrl: string;
  /** Release that is running: the version in package.json. */
  readonly version: string;
}

/** Names the variables at fault and the remedy; never a value, which may be a secret. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The environment is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

const validator = Compile(ENVIRONMENT_SCHEMA);

function typed(source: NodeJS.ProcessEnv): Record<string, unknown> {
  const known: Record<string, unknown> = {};
  const properties = ENVIRONMENT_SCHEMA.properties as Record<string, { default?: unknown; type?: string }>;
  for (const [name, schema] of Object.entries(properties)) {
    const text = source[name];
    if (text === undefined || text === '') known[name] = schema.default;
    else known[name] = schema.type === 'integer' && /^\d+$/.test(text) ? Number(text) : text;
  }
  return known;
}

function weakSecrets(environment: Environment): string[] {
  if (environment.NODE_ENV !== 'production') return [];
  return Object.entries(environment)
    .filter(([name]) => name !== 'DATABASE_OWNER_PASSWORD')
    .filter(([, value]) => typeof value === 'string' && value.startsWith(DEVELOPMENT_SECRET))
    .map(([name]) => `${name} has its development default; set a secret of your own for NODE_ENV=production.`);
}

/**
 * Parses and checks the environment. Throws ConfigError that lists every problem at once.
 */
export function loadConfig(source: NodeJS.ProcessEnv = process.env): AppConfig {
  const values = typed(source);
  if (!validator.Check(values)) {
    throw new ConfigError(
      validator.Errors(values).map((error) => `${error.instancePath.slice(1) || 'environment'} ${error.message}.`),
    );
  }
  const environment = values;
  const problems = weakSecrets(environment);
  if (problems.length > 0) throw new ConfigError(problems);
  const redisCacheUrl = environment.REDIS_CACHE_URL || environment.REDIS_URL;
  return Object.freeze({
    ...environment,
    replicaUrls: environment.DATABASE_REPLICA_URLS.split(',')
      .map((url) => url.trim())
      .filter(Boolean),
    redisCacheUrl,
    redisLimitsUrl: environment.REDIS_LIMITS_URL || redisCacheUrl,
    version: source.npm_package_version ?? '0.1.0',
  });
}

const PASSWORDS = {
  app: 'DATABASE_APP_PASSWORD',
  relay: 'DATABASE_RELAY_PASSWORD',
  control: 'DATABASE_CONTROL_PASSWORD',
  monitor: 'DATABASE_MONITOR_PASSWORD',
  owner: 'DATABASE_OWNER_PASSWORD',
} as const satisfies Record<DatabaseRole, keyof Environment>;

/** A database URL with the login of one role in place of whatever user it named. */
export function roleUrl(config: AppConfig, role: DatabaseRole, url: string = config.DATABASE_URL): string {
  const parsed = new URL(url);
  parsed.username = `stockyard_${role}`;
  parsed.password = encodeURIComponent(config[PASSWORDS[role]]);
  return parsed.toString();
}
