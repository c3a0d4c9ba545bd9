// A real Postgres primary on this machine, for tests and for the local stack.
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { isMade } from './data-directory';
import { preferPort } from './free-port';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries';
import { queryOnce, SUPERUSER, type PostgresAddress } from './postgres-client';
import { endLeftBehind } from './pid-record';
import { initPostgres } from './postgres-init';
import { PostgresProcess, type PostgresProcessOptions } from './postgres-process';
import { placeUnderTmp, reachableDirectory } from './reachable-place';
import { unprivilegedUser, type Notice } from './unprivileged-user';

export interface LocalPostgresOptions {
  /** Where the data is kept between starts. Default: a temporary directory, see {@link LocalPostgres.remove}. */
  readonly dataDir?: string;
  /** Default: any free port. When it is taken, another free one is used. */
  readonly port?: number;
  /** Of the superuser "postgres". */
  readonly password: string;
  /** Directory of the programs. Default: environment variable STOCKYARD_PG_BIN, else those of the npm package. */
  readonly binDir?: string;
  /** No fsync: fast, safe against a killed process, lost when the machine stops. Default false. */
  readonly throwaway?: boolean;
  /** More settings, by Postgres' own names. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Default: beside the data directory. */
  readonly logFile?: string;
  /** Told what the person at the terminal should know. */
  readonly notice?: Notice;
}

/** Starts a primary, creating its data directory at the first start. Rejects with a ServerError. */
export async function startLocalPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const notice = options.notice ?? (() => undefined);
  const user = unprivilegedUser(notice);
  const binaries = findPostgresBinaries({ binDir: options.binDir, user, notice });
  const dataDir = reachableDirectory(options.dataDir ?? temporaryDataDirectory(), user, notice);
  await endLeftBehind(`${dataDir}.pid.json`, 'SIGINT'); // it may hold the wanted port
  const server = new LocalPostgres({
    name: 'Postgres',
    binaries,
    dataDir,
    port: await preferPort(options.port),
    password: options.password,
    user,
    logFile: options.logFile ?? `${dataDir}.log`,
    throwaway: options.throwaway ?? false,
    settings: options.settings ?? {},
  });
  try {
    await server.start();
  } catch (error) {
    if (options.dataDir === undefined) await removeServerData(dataDir);
    throw error;
  }
  return server;
}

/**
 * Deletes what servers kept for `dataDir`, wherever it had to be put, and ends one that a killed parent left there.
 * Rejects with a ServerError while such a server is in use.
 */
export async function removeServerData(dataDir: string): Promise<void> {
  const standIn = placeUnderTmp(dataDir);
  for (const place of [dataDir, join(standIn, 'data')]) await endLeftBehind(`${place}.pid.json`, 'SIGINT');
  for (const path of [dataDir, `${dataDir}.new`, `${dataDir}.log`, standIn]) {
    rmSync(path, { recursive: true, force: true });
  }
  const parent = dirname(dataDir);
  const isOurs = dirname(parent) === resolve(tmpdir()) && basename(parent).startsWith('stockyard-');
  if (isOurs && existsSync(parent) && readdirSync(parent).length === 0) rmdirSync(parent);
}

/** A data directory and its server process; it can be stopped, killed and started again on the same port. */
export class LocalPostgres {
  private readonly process: PostgresProcess;

  constructor(
    /** How it is run, with the superuser's password. */
    readonly options: PostgresProcessOptions,
  ) {
    this.process = new PostgresProcess(options);
  }

  get port(): number {
    return this.options.port;
  }

  /** Where the data really lies; not the asked directory when the server's user cannot reach that. */
  get dataDir(): string {
    return this.options.dataDir;
  }

  get logFile(): string {
    return this.options.logFile;
  }

  get binaries(): PostgresBinaries {
    return this.options.binaries;
  }

  get running(): boolean {
    return this.process.running;
  }

  /** Of the postmaster; undefined while stopped. */
  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Fulfilled with a description, e.g. "by SIGKILL", when the process of the last start ended. */
  get ended(): Promise<string> | undefined {
    return this.process.ended;
  }

  /** postgres:// URL with credentials. Default: the superuser and the database "postgres". */
  url(target: { readonly database?: string; readonly user?: string; readonly password?: string } = {}): string {
    const { database = 'postgres', user = SUPERUSER, password = this.options.password } = target;
    return `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${this.port}/${database}`;
  }

  /** Runs one statement as the superuser on a connection of its own and answers its rows. */
  async query<R extends Record<string, unknown>>(
    text: string,
    values: readonly unknown[] = [],
    database = 'postgres',
  ): Promise<R[]> {
    return queryOnce<R>({ ...this.address, database }, text, values);
  }

  /** Starts the server again after `stop` or `kill`. Does nothing while it runs. */
  async start(): Promise<void> {
    if (!isMade(this.dataDir)) await initPostgres(this.options);
    await this.startProcess();
  }

  /** Fast shutdown; the data stays. */
  async stop(): Promise<void> {
    await this.process.stop();
  }

  /** SIGKILL is a crash: the next start recovers. SIGSTOP and SIGCONT freeze and thaw the postmaster. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.process.kill(signal);
  }

  /** Stops the server and deletes its data. */
  async remove(): Promise<void> {
    await this.stop();
    await removeServerData(this.dataDir);
  }

  /** The superuser's address. */
  get address(): PostgresAddress {
    return { port: this.port, password: this.options.password };
  }

  protected startProcess(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    return this.process.start(settings);
  }
}

/** A directory that does not exist yet, below a new temporary one that the server's user can enter. */
export function temporaryDataDirectory(): string {
  const parent = mkdtempSync(join(tmpdir(), 'stockyard-pg-'));
  chmodSync(parent, 0o711);
  return join(resolve(parent), 'data');
}
