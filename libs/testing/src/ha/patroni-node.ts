/** One Postgres under Patroni, started with the configuration of deploy/patroni, of which each may be killed by itself. */
import { chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { identifyProcess, OwnedProcess } from '#libs/local-stack';

export interface PatroniNodeOptions {
  readonly name: string;
  /** `postgres` where the spec runs as root. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly configuration: string;
  readonly etcdPort: number;
  readonly restPort: number;
  readonly port: number;
  readonly dir: string;
  readonly binDir: string;
  /** Of its superuser. */
  readonly password: string;
}

const HOST = '127.0.0.1';
const KILLED_WITHIN_MS = 60_000;

export class PatroniNode {
  private patroni: OwnedProcess | undefined;

  constructor(private readonly options: PatroniNodeOptions) {}

  get name(): string {
    return this.options.name;
  }

  get port(): number {
    return this.options.port;
  }

  get restUrl(): string {
    return `http://${HOST}:${this.options.restPort}`;
  }

  get log(): string {
    return readFileSync(join(this.options.dir, 'log'), 'utf8');
  }

  async start(): Promise<void> {
    const { name, user, configuration, dir, password, etcdPort, binDir } = this.options;
    mkdirSync(dir, { recursive: true });
    if (user) chownSync(dir, user.uid, user.gid);
    const [rest, postgres] = [`${HOST}:${this.options.restPort}`, `${HOST}:${this.port}`];
    this.patroni = await OwnedProcess.start({
      name: 'Patroni',
      command: 'patroni',
      args: [configuration],
      user,
      cwd: '/',
      env: {
        PATH: process.env.PATH,
        ...{ PATRONI_NAME: name, PATRONI_ETCD3_HOSTS: `${HOST}:${etcdPort}` },
        ...{ PATRONI_RESTAPI_LISTEN: rest, PATRONI_RESTAPI_CONNECT_ADDRESS: rest },
        ...{ PATRONI_POSTGRESQL_LISTEN: postgres, PATRONI_POSTGRESQL_CONNECT_ADDRESS: postgres },
        ...{ PATRONI_POSTGRESQL_DATA_DIR: join(dir, 'data'), PATRONI_POSTGRESQL_PGPASS: join(dir, 'pgpass') },
        PATRONI_POSTGRESQL_BIN_DIR: binDir,
        ...{ PATRONI_SUPERUSER_USERNAME: 'postgres', PATRONI_SUPERUSER_PASSWORD: password },
        ...{ PATRONI_REPLICATION_USERNAME: 'replicator', PATRONI_REPLICATION_PASSWORD: 'replicates' },
        ...{ PATRONI_REWIND_USERNAME: 'rewinder', PATRONI_REWIND_PASSWORD: 'rewinds' },
      },
      logFile: join(dir, 'log'),
      pidFile: join(dir, 'pid.json'),
      stopSignal: 'SIGTERM',
      stopTimeoutMs: KILLED_WITHIN_MS,
    });
  }

  /** A crash of Postgres alone; Patroni lives. */
  killPostgres(): void {
    const pid = this.postmaster();
    if (pid === undefined) throw new Error(`Postgres ${this.name} does not run.`);
    process.kill(pid, 'SIGKILL');
  }

  /** Patroni alone; its Postgres goes on, and nobody tells it what it is any more. */
  async killPatroni(): Promise<void> {
    await this.patroni?.kill('SIGKILL');
  }

  /** Patroni, which stops its Postgres first; a Postgres that has none is killed. */
  async stop(): Promise<void> {
    await this.patroni?.stop();
    if (this.postmaster() !== undefined) this.killPostgres();
  }

  private postmaster(): number | undefined {
    const file = join(this.options.dir, 'data/postmaster.pid');
    if (!existsSync(file)) return undefined;
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return identifyProcess(pid)?.commandLine.includes(this.options.dir) ? pid : undefined;
  }
}
