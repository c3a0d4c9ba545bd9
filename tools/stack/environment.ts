// The environment of each process of the stack: what is set here, above what the user set.
import type { ApplicationName } from './options';
import type { ApplicationPorts } from './ports';
import type { Secrets } from './secrets';
import type { Servers } from './servers';
import { withoutLogin } from './database-url';

export interface EnvironmentInput {
  /** The user's own. */
  readonly base: NodeJS.ProcessEnv;
  readonly secrets: Secrets;
  readonly servers: Servers;
  readonly ports: ApplicationPorts;
  readonly storageDir: string;
}

/** For `migrate`: logins of the user who may create roles, straight to the primaries, and the passwords that the roles get. */
export function migrateEnvironment({ base, secrets, servers, ports }: EnvironmentInput): NodeJS.ProcessEnv {
  const [home, ...others] = servers.shards;
  const primaries = others.map(({ name, databaseUrl }) => [name, { url: databaseUrl }] as const);
  return {
    ...inherited(base),
    ...portVariables(ports), // it checks the whole environment, and 0 is no port
    DATABASE_URL: home.databaseUrl,
    DATABASE_REPLICA_URLS: '',
    DATABASE_SHARDS: others.length === 0 ? servers.databaseShards : shardsVariable(primaries),
    DATABASE_OWNER_PASSWORD: secrets.DATABASE_OWNER_PASSWORD,
    DATABASE_MOVER_PASSWORD: secrets.DATABASE_MOVER_PASSWORD,
    ...rolePasswords(secrets),
  };
}

/** Whoever tries the platform has the outside system on this machine too. */
const LOCAL_SOURCES = { OUTBOUND_HTTP: 'on', OUTBOUND_PRIVATE_ADDRESSES: '127.0.0.0/8,::1' };

/** For one of the applications: no login of the superuser and none of the owner. */
export function applicationEnvironment(
  { base, secrets, servers, ports, storageDir }: EnvironmentInput,
  application: ApplicationName,
): NodeJS.ProcessEnv {
  const [home, ...others] = servers.shards;
  const hosts = others.map(({ name, hostsUrl, readOnlyUrls }) => {
    return [name, { url: withoutLogin(hostsUrl), replica_urls: readOnlyUrls.map(withoutLogin) }] as const;
  });
  return {
    NODE_ENV: 'development',
    SHUTDOWN_GRACE_MS: '10000', // less than the stack waits before it kills
    SHUTDOWN_NOTICE_MS: '500', // no balancer is there to notice
    ...(base.NODE_ENV !== 'production' && LOCAL_SOURCES),
    ...inherited(base),
    HOST: '127.0.0.1',
    ...portVariables(ports),
    DATABASE_URL: withoutLogin(home.hostsUrl),
    DATABASE_REPLICA_URLS: home.readOnlyUrls.map(withoutLogin).join(','),
    DATABASE_SHARDS: others.length === 0 ? servers.databaseShards : shardsVariable(hosts),
    ...rolePasswords(secrets),
    ...(application === 'worker' && { DATABASE_MOVER_PASSWORD: secrets.DATABASE_MOVER_PASSWORD }),
    REDIS_URL: servers.redisUrl,
    ADMIN_TOKEN: secrets.ADMIN_TOKEN,
    JWT_SECRET: secrets.JWT_SECRET,
    MESSAGING_SECRET: secrets.MESSAGING_SECRET,
    STORAGE_DIR: storageDir,
  };
}

function shardsVariable(shards: readonly (readonly [name: string, urls: object])[]): string {
  return JSON.stringify(Object.fromEntries(shards));
}

function portVariables({ api, worker, metrics }: ApplicationPorts): NodeJS.ProcessEnv {
  return { API_PORT: String(api), WORKER_PORT: String(worker), METRICS_PORT: String(metrics) };
}

function rolePasswords(secrets: Secrets): NodeJS.ProcessEnv {
  const { DATABASE_APP_PASSWORD, DATABASE_RELAY_PASSWORD, DATABASE_CONTROL_PASSWORD, DATABASE_MONITOR_PASSWORD } =
    secrets;
  return { DATABASE_APP_PASSWORD, DATABASE_RELAY_PASSWORD, DATABASE_CONTROL_PASSWORD, DATABASE_MONITOR_PASSWORD };
}

// npm's own variables say nothing to the processes, and these two roles are not for every process.
const NOT_FOR_ALL = ['DATABASE_OWNER_PASSWORD', 'DATABASE_MOVER_PASSWORD'];
function inherited(base: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const foreign = (name: string) => name.startsWith('npm_') || name.startsWith('NODE_CHANNEL_');
  const kept = Object.entries(base).filter(([name]) => !foreign(name) && !NOT_FOR_ALL.includes(name));
  return Object.fromEntries(kept);
}
