/** Parses the environment into the configuration object that libraries get their slices of. */
import { isIP } from 'node:net';
import { Compile } from 'typebox/compile';
import { type CostModel, costModel } from './cost-model';
import { type ShardTopology, shardTopology } from './database-topology';
import { DEVELOPMENT_SECRET, ENVIRONMENT_SCHEMA, type Environment } from './environment.schema';
import { unusableRedis } from './redis-topology';
import { type RegionMap, regionMap } from './region-map';
import { releaseVersion } from './release';
import { type ProcessName, secretsOf } from './secrets';
import { type SloObjectives, sloObjectives } from './slo-objectives';

/** Roles of the database a process can log in as. */
export type DatabaseRole = 'app' | 'relay' | 'control' | 'monitor' | 'mover' | 'owner';

export interface AppConfig extends Readonly<Environment>, RegionMap {
  /** The home shard, which keeps the directory. It may be in another region: then no tenant's row of it is touched from here. */
  readonly directory: ShardTopology;
  readonly redisCacheUrl: string;
  readonly redisLimitsUrl: string;
  /** Of COST_MODEL; null where it is empty. */
  readonly costModel: CostModel | null;
  /** Blocks of OUTBOUND_PRIVATE_ADDRESSES. */
  readonly outboundBlocks: readonly string[];
  /** Names and values of OTEL_EXPORTER_OTLP_HEADERS. Secret. */
  readonly otlpHeaders: Readonly<Record<string, string>>;
  /** Of TRACING_OUTBOUND_HOSTS, in lower case. */
  readonly tracedHosts: readonly string[];
  /** Job classes that this worker runs. */
  readonly workerClasses: readonly string[];
  readonly sloObjectives: SloObjectives;
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

function weakSecrets(environment: Environment, process: ProcessName | undefined): string[] {
  if (environment.NODE_ENV !== 'production') return [];
  return secretsOf(process)
    .filter((name) => environment[name].startsWith(DEVELOPMENT_SECRET))
    .map((name) => `${name} has its development default; set a secret of your own for NODE_ENV=production.`);
}

const S3_CREDENTIALS = ['STORAGE_S3_ACCESS_KEY_ID', 'STORAGE_S3_SECRET_ACCESS_KEY'] as const;
const URLS = [
  'API_PUBLIC_URL',
  'STORAGE_S3_ENDPOINT',
  'STORAGE_S3_LINK_ENDPOINT',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
] as const;

function unusableStorage(environment: Environment): string[] {
  const missing = environment.STORAGE_S3_BUCKET === '' ? [] : S3_CREDENTIALS.filter((name) => environment[name] === '');
  const broken = URLS.filter((name) => environment[name] !== '' && !URL.canParse(environment[name]));
  return [
    ...missing.map((name) => `${name} is missing; STORAGE_S3_BUCKET needs it.`),
    ...broken.map((name) => `${name} must be a URL such as https://files.example.com.`),
  ];
}

/** `10.0.0.0/8`, or one address. */
function isAddressBlock(block: string): boolean {
  const [address = '', prefix = '0', ...rest] = block.split('/');
  const family = isIP(address);
  return family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 6 ? 128 : 32);
}

function unusableBlocks(blocks: readonly string[]): string[] {
  if (blocks.every(isAddressBlock)) return [];
  return ['OUTBOUND_PRIVATE_ADDRESSES must be blocks of addresses such as 10.1.0.0/16,fd00::/8.'];
}

/** undefined where it is no list of headers. */
function headersOf(list: string): Record<string, string> | undefined {
  const headers: Record<string, string> = {};
  for (const pair of listOf(list)) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+)\s*=\s*([\x20-\x7e]*)$/.exec(pair) ?? [];
    if (name === undefined || value === undefined) return undefined;
    try {
      headers[name.toLowerCase()] = decodeURIComponent(value);
    } catch {
      return undefined;
    }
  }
  return headers;
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function unusableHeaders({ OTEL_EXPORTER_OTLP_HEADERS }: Environment): string[] {
  if (headersOf(OTEL_EXPORTER_OTLP_HEADERS)) return [];
  return ['OTEL_EXPORTER_OTLP_HEADERS must be headers such as authorization=Bearer%20x,name=value.'];
}

/** Throws ConfigError with what the parser said. */
function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new ConfigError([(error as Error).message]);
  }
}

/**
 * Parses and checks the environment. Throws ConfigError that lists every problem at once. `overrides` is what a command line says;
 * `processName` whose secrets production insists on, by default those of any process that serves.
 */
export function loadConfig(
  source: NodeJS.ProcessEnv = process.env,
  overrides: Readonly<Record<string, string>> = {},
  processName?: ProcessName,
): AppConfig {
  const values = typed({ ...source, ...overrides });
  if (!validator.Check(values)) {
    throw new ConfigError(
      validator.Errors(values).map((error) => `${error.instancePath.slice(1) || 'environment'} ${error.message}.`),
    );
  }
  const environment = values;
  const outboundBlocks = environment.OUTBOUND_PRIVATE_ADDRESSES.split(/\s*,\s*/).filter((block) => block !== '');
  const problems = [
    ...weakSecrets(environment, processName),
    ...unusableStorage(environment),
    ...unusableRedis(environment),
    ...unusableBlocks(outboundBlocks),
    ...unusableHeaders(environment),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  const everywhere: ShardTopology[] = parsed(() => shardTopology(environment));
  const model = parsed(() => costModel(environment.COST_MODEL));
  const redisCacheUrl = environment.REDIS_CACHE_URL || environment.REDIS_URL;
  return Object.freeze({
    ...environment,
    ...parsed(() => regionMap(environment, everywhere)),
    directory: everywhere[0]!,
    redisCacheUrl,
    redisLimitsUrl: environment.REDIS_LIMITS_URL || redisCacheUrl,
    costModel: model,
    outboundBlocks,
    sloObjectives: parsed(() => sloObjectives(environment.SLO_OBJECTIVES)),
    otlpHeaders: headersOf(environment.OTEL_EXPORTER_OTLP_HEADERS) ?? {},
    tracedHosts: listOf(environment.TRACING_OUTBOUND_HOSTS.toLowerCase()),
    workerClasses: environment.WORKER_CLASSES.split(','),
    version: source.npm_package_version ?? releaseVersion(),
  });
}

const PASSWORDS = {
  app: 'DATABASE_APP_PASSWORD',
  relay: 'DATABASE_RELAY_PASSWORD',
  control: 'DATABASE_CONTROL_PASSWORD',
  monitor: 'DATABASE_MONITOR_PASSWORD',
  mover: 'DATABASE_MOVER_PASSWORD',
  owner: 'DATABASE_OWNER_PASSWORD',
} as const satisfies Record<DatabaseRole, keyof Environment>;

/** A one-host URL with the login of one role in place of whatever user it named; by default the home shard's first host. */
export function roleUrl(config: AppConfig, role: DatabaseRole, url: string = config.directory.hosts[0]!): string {
  const parsed = new URL(url);
  parsed.username = `stockyard_${role}`;
  parsed.password = encodeURIComponent(config[PASSWORDS[role]]);
  return parsed.toString();
}
