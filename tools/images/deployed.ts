/**
 * A deployment of docker-compose.yml on this machine, with what a test asks of it: the file systems of the images, one of each kind
 * of process, both Postgres servers behind their poolers, both Redis. Programs are Debian's.
 */
import { spawnSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { freePort, waitFor } from '#libs/local-stack';
import { OLDEST_POSTGRES } from '#libs/testing';
import { type Compose, readCompose, seconds, variablesOf } from './compose';
import { Deployment } from './deployment';
import { ImageTree, type Shortcut } from './image-tree';
import type { ContainedProcess } from './sandbox';

export interface DeployedOptions {
  /** The repository. */
  readonly root: string;
  /** Empty; holds everything afterwards. */
  readonly directory: string;
  readonly shortcut: Shortcut | undefined;
  /** Of the RUNs of the Dockerfile. */
  readonly environment: Readonly<Record<string, string>>;
  readonly print: (line: string) => void;
}

const SERVERS = ['postgres', 'postgres-replica', 'pgbouncer', 'pgbouncer-replica', 'redis-queue', 'redis-cache'];
/** One of each kind; the worker is the one that imports. */
const PROCESSES = ['api-1', 'worker-slow', 'metrics'] as const;
export type ProcessService = (typeof PROCESSES)[number];
const TARGET = { 'api-1': 'api', 'worker-slow': 'worker', metrics: 'metrics' } as const;

export interface Ended {
  readonly name: string;
  readonly status: unknown;
  readonly seconds: number;
  readonly grace: number;
}

export class Deployed {
  readonly compose: Compose;
  /** By the names of the variables that docker-compose.yml insists on. */
  readonly secrets: Readonly<Record<string, string>>;
  private readonly tree: ImageTree;
  private readonly ports: Record<string, number> = {};
  private started: Deployment | undefined;
  private readonly processes = new Map<string, ContainedProcess>();

  constructor(private readonly options: DeployedOptions) {
    const file = join(options.root, 'docker-compose.yml');
    const required = variablesOf(file).filter((variable) => variable.required);
    this.secrets = Object.fromEntries(
      required.map(({ name }) => [name, `${name.toLowerCase()}-of-this-deployment_0123456789`]),
    );
    this.compose = readCompose(file, this.secrets);
    this.tree = new ImageTree({
      ...options,
      directory: join(options.directory, 'images'),
      targets: Object.values(TARGET),
      node: process.execPath,
      told: (stage, { text }, took) => options.print(`${stage}: ${text.slice(0, 60)}… ${took.toFixed(1)} s`),
    });
  }

  /** Rejects with the log of what did not start. */
  async start(): Promise<void> {
    this.tree.build();
    for (const name of [...SERVERS, ...PROCESSES]) this.ports[name] = await freePort();
    this.started = new Deployment({
      root: this.options.root,
      compose: this.compose,
      tree: (target) => this.tree.path(target),
      ports: this.ports,
      directory: this.options.directory,
      path: [OLDEST_POSTGRES],
      changes: this.changes(),
      variables: this.variables(),
    });
    await Promise.all([this.startPostgres(), this.startServer('redis-queue'), this.startServer('redis-cache')]);
    await Promise.all(PROCESSES.map(async (name) => this.processes.set(name, await this.deployment.start(name))));
  }

  async end(): Promise<void> {
    await this.started?.end();
  }

  private get deployment(): Deployment {
    if (this.started) return this.started;
    throw new Error('It was not started.');
  }

  treeOf(target: string): string {
    return this.tree.path(target);
  }

  url(name: ProcessService): string {
    return `http://127.0.0.1:${this.ports[name]}`;
  }

  /** An address of the compose file, as it is here. */
  here(address: string): string {
    return this.deployment.here(address);
  }

  /** Name and number of what runs, servers included. */
  running(): ContainedProcess[] {
    return this.deployment.running.filter((process) => process.isRunning);
  }

  /** Resolves when the image's own check says so. */
  async ready(name: ProcessService): Promise<void> {
    const check = join(this.treeOf(TARGET[name]), 'usr/local/bin/stockyard-ready');
    await this.until(
      this.processes.get(name)!,
      `${name} to be ready`,
      () => spawnSync(check, [String(this.ports[name])]).status === 0,
    );
  }

  /** What the operator's command prints. */
  async operate(...args: string[]): Promise<string> {
    const command = await this.deployment.start('stockyard', args);
    const { code } = await command.exited;
    if (code !== 0) throw new Error(`stockyard ${args.join(' ')}: ${command.log}`);
    return command.log;
  }

  /** A statement as the superuser on one of the servers. */
  query(server: 'postgres' | 'postgres-replica', sql: string, database = 'stockyard'): string {
    const url = `postgres://postgres:${this.secrets['POSTGRES_PASSWORD']}@127.0.0.1:${this.ports[server]}/${database}`;
    const { status, stdout, stderr } = spawnSync('psql', [url, '-XAtc', sql], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  /** As `docker compose stop postgres pgbouncer`, and the promotion of the replica. */
  async promoteReplica(): Promise<void> {
    await Promise.all([this.server('postgres').stop('SIGINT'), this.server('pgbouncer').stop('SIGTERM')]);
    this.query('postgres-replica', 'select pg_promote()', 'postgres');
  }

  /** As with the volumes' names changed in .env: the promoted one is the primary's, and the replica's is empty. */
  async rebuildAfterPromotion(): Promise<void> {
    await this.server('postgres-replica').stop('SIGINT');
    const volume = (name: string) => join(this.options.directory, 'volumes', name);
    rmSync(volume('postgres'), { recursive: true });
    renameSync(volume('postgres-replica'), volume('postgres'));
    await this.startServer('postgres');
    await this.startServer('postgres-replica');
  }

  /** SIGTERM to every process, at once. */
  async stopProcesses(): Promise<Ended[]> {
    const stops = [...this.processes].map(async ([name, process]) => {
      const began = performance.now();
      const status = await process.stop('SIGTERM');
      const grace = seconds(this.compose.services[name]!.stop_grace_period!);
      return { name, status, seconds: (performance.now() - began) / 1000, grace };
    });
    return Promise.all(stops);
  }

  private server(name: string): ContainedProcess {
    return this.running().find((process) => process.name === name)!;
  }

  private async startPostgres(): Promise<void> {
    await this.startServer('postgres');
    await Promise.all([
      this.startServer('postgres-replica').then(() => this.startServer('pgbouncer-replica')),
      this.startServer('pgbouncer'),
      this.migrate(),
    ]);
  }

  private async migrate(): Promise<void> {
    const migrate = await this.deployment.start('migrate');
    const { code } = await migrate.exited;
    if (code !== 0) throw new Error(`migrate: ${migrate.log}`);
  }

  private async startServer(name: string): Promise<void> {
    const server = await this.deployment.start(name);
    await this.until(server, `${name} to answer`, () => this.answers(name));
  }

  /** By the compose file's own check where this machine has its program under that name. */
  private async answers(name: string): Promise<boolean> {
    const port = String(this.ports[name]);
    const [kind, ...words] = this.compose.services[name]!.healthcheck!.test!;
    if (name.startsWith('pgbouncer')) return listens(Number(port));
    const env = {
      ...process.env,
      PGPORT: port,
      REDIS_PASSWORD: this.compose.services[name]!.environment!['REDIS_PASSWORD'],
    };
    const command =
      kind === 'CMD-SHELL' ? ['/bin/sh', '-c', words[0]!.replace('redis-cli', `redis-cli -p ${port}`)] : words;
    return spawnSync(command[0]!, command.slice(1), { env }).status === 0;
  }

  private until(process: ContainedProcess, what: string, check: () => boolean | Promise<boolean>): Promise<unknown> {
    const look = async () => {
      process.requireRunning();
      return check();
    };
    return waitFor(look, { what, timeoutMs: 60_000, intervalMs: 50 });
  }

  /** Where servers listen; all else of their configuration is as it is mounted. */
  private changes(): Record<string, [string, string, string][]> {
    const postgres: [string, string, string] = [
      'postgresql.conf',
      "listen_addresses = '*'",
      "listen_addresses = '127.0.0.1'",
    ];
    const redis = (name: string, file: string): [string, string, string][] => [
      [file, 'bind * -::*', 'bind 127.0.0.1'],
      [file, 'port 6379', `port ${this.ports[name]}`],
    ];
    const pooler = (name: string): [string, string, string][] => [
      ['pgbouncer.ini', 'listen_addr = *', 'listen_addr = 127.0.0.1'],
      ['pgbouncer.ini', 'listen_port = 6432', `listen_port = ${this.ports[name]}`],
      ...(followsStatements()
        ? []
        : ([['pgbouncer.ini', 'max_prepared_statements = 200\n', '']] as [string, string, string][])),
    ];
    return {
      postgres: [postgres],
      'postgres-replica': [postgres],
      'redis-queue': redis('redis-queue', 'queue.conf'),
      'redis-cache': redis('redis-cache', 'cache.conf'),
      pgbouncer: pooler('pgbouncer'),
      'pgbouncer-replica': pooler('pgbouncer-replica'),
    };
  }

  private variables(): Record<string, Record<string, string>> {
    const port = (name: string) => String(this.ports[name]);
    const ours = { HOST: '127.0.0.1', SHUTDOWN_NOTICE_MS: '500' }; // no balancer is there to notice
    return {
      postgres: { PGPORT: port('postgres') },
      'postgres-replica': {
        PGPORT: port('postgres-replica'),
        PRIMARY_HOST: '127.0.0.1',
        PRIMARY_PORT: port('postgres'),
      },
      pgbouncer: { SERVER_HOST: '127.0.0.1', SERVER_PORT: port('postgres') },
      'pgbouncer-replica': { SERVER_HOST: '127.0.0.1', SERVER_PORT: port('postgres-replica') },
      'api-1': {
        ...ours,
        API_PORT: port('api-1'),
        ...(followsStatements() ? {} : { DATABASE_PREPARED_STATEMENTS: 'off' }),
      },
      'worker-slow': { ...ours, WORKER_PORT: port('worker-slow') },
      metrics: { ...ours, METRICS_PORT: port('metrics') },
    };
  }
}

/** Debian 12's PgBouncer is older than the image's: it forgets statements between transactions. */
function followsStatements(): boolean {
  const { stdout } = spawnSync('pgbouncer', ['--version'], { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin' } });
  const [, major = '0', minor = '0'] = /PgBouncer (\d+)\.(\d+)/.exec(stdout) ?? [];
  return Number(major) > 1 || Number(minor) >= 21;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
