// stack.json: where everything runs, for tools and people. It exists exactly while the stack is ready.
import { withLogin } from './database-url';
import { APPLICATIONS } from './options';
import type { StackPart } from './part';
import type { ApplicationPorts } from './ports';
import type { Secrets } from './secrets';
import type { SeededOrganization } from './seed';
import type { Servers } from './servers';
import type { StateDirectory } from './state-directory';

const FILE = 'stack.json';

export interface StackDescription {
  readonly ports: ApplicationPorts;
  readonly servers: Servers;
  readonly secrets: Secrets;
  readonly parts: readonly StackPart[];
  readonly organizations: readonly SeededOrganization[];
}

export function applicationUrl(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** The file's content. Its names are read by tools outside the repository. */
export function stackJson({
  ports,
  servers,
  secrets,
  parts,
  organizations,
}: StackDescription): Record<string, unknown> {
  const [home] = servers.shards;
  return {
    api_url: applicationUrl(ports.api),
    worker_url: applicationUrl(ports.worker),
    metrics_url: applicationUrl(ports.metrics),
    database_url: home.databaseUrl,
    database_app_url: withLogin(home.databaseUrl, 'stockyard_app', secrets.DATABASE_APP_PASSWORD),
    replica_urls: home.replicaUrls,
    shards: servers.shards.map(({ name, databaseUrl, replicaUrls }) => ({
      name,
      database_url: databaseUrl,
      replica_urls: replicaUrls,
    })),
    redis_url: servers.redisUrl,
    admin_token: secrets.ADMIN_TOKEN,
    organizations,
    ports: { ...Object.fromEntries(APPLICATIONS.map((name) => [name, ports[name]])), ...servers.ports },
    processes: { stack: process.pid, ...Object.fromEntries(parts.map(({ name, pid }) => [name, pid])) },
  };
}

export function writeStackFile(state: StateDirectory, description: StackDescription): void {
  state.writeJson(FILE, stackJson(description));
}

export function removeStackFile(state: StateDirectory): void {
  state.remove(FILE);
}
