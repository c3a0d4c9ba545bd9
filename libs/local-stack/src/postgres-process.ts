// The server process of one Postgres data directory, primary or replica alike: start, stop, kill, start again.
import { existsSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeExit, OwnedProcess } from './owned-process';
import { requireFreePort } from './free-port';
import { endLeftBehind } from './pid-record';
import type { PostgresBinaries } from './postgres-binaries';
import { queryOnce } from './postgres-client';
import { postgresEnvironment } from './postgres-program';
import { SETTINGS_FILE, settingsText } from './postgres-settings';
import { identifyProcess } from './process-identity';
import { giveTo } from './reachable-place';
import { logTail, ServerError, withLogTail } from './server-error';
import type { SystemUser } from './unprivileged-user';
import { StopWaiting, waitFor } from './wait-for';

export interface PostgresProcessOptions {
  /** "Postgres" or "Postgres replica", in messages. */
  readonly name: string;
  readonly binaries: PostgresBinaries;
  readonly dataDir: string;
  readonly port: number;
  readonly password: string;
  readonly user: SystemUser | undefined;
  readonly logFile: string;
  readonly throwaway: boolean;
  readonly settings: Readonly<Record<string, string>>;
}

const STOP_TIMEOUT_MS = 30_000;
const START_TIMEOUT_MS = 120_000; // recovery after a crash may take its time
const INVALID_PASSWORD = '28P01';

/** States: stopped ⇄ running. `start` and `stop` are idempotent; none of the methods may run at the same time. */
export class PostgresProcess {
  private process: OwnedProcess | undefined;

  constructor(private readonly options: PostgresProcessOptions) {}

  get running(): boolean {
    return this.process?.running ?? false;
  }

  /** Process id of the postmaster, or undefined while stopped. */
  get pid(): number | undefined {
    return this.running ? this.process?.pid : undefined;
  }

  /** Fulfilled with a description when the process of the last start ended; undefined before the first. */
  get ended(): Promise<string> | undefined {
    return this.process?.exited.then(describeExit);
  }

  /** Resolves when statements are answered. Rejects with a ServerError that holds the last lines of the log. */
  async start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    if (this.running) return;
    this.requireSameMajor();
    const { name, dataDir, port, throwaway } = this.options;
    await endLeftBehind(`${dataDir}.pid.json`, 'SIGINT', STOP_TIMEOUT_MS);
    await requireFreePort(port, name);
    const file = join(dataDir, SETTINGS_FILE);
    const all = { ...this.options.settings, ...settings };
    writeFileSync(file, settingsText({ port, throwaway, settings: all }), { mode: 0o600 });
    giveTo(file, this.options.user);
    // Backends of a killed server may hold its shared memory for a moment after it.
    for (let attempt = 1; !(await this.tryStart()); attempt++) {
      if (attempt === 20) throw this.failure('did not start: processes of an earlier one do not end');
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  /** Fast shutdown: connections are cut, data is kept. SIGKILL after 30 seconds. */
  async stop(): Promise<void> {
    await this.process?.stop();
  }

  /** SIGKILL is a crash: the next start recovers. SIGSTOP and SIGCONT freeze and thaw the postmaster. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.process?.kill(signal);
  }

  private async tryStart(): Promise<boolean> {
    const { name, binaries, dataDir, user, logFile } = this.options;
    this.dropForeignLock();
    const started = await OwnedProcess.start({
      name,
      command: binaries.postgres,
      args: ['-D', dataDir],
      env: postgresEnvironment(),
      cwd: '/',
      user,
      logFile,
      pidFile: `${dataDir}.pid.json`,
      stopSignal: 'SIGINT',
      stopTimeoutMs: STOP_TIMEOUT_MS,
    });
    this.process = started;
    try {
      await waitFor(() => this.answers(started), { what: `${name} to answer`, timeoutMs: START_TIMEOUT_MS });
      return true;
    } catch (error) {
      if (!started.running && /shared memory block .* is still in use/.test(logTail(logFile, 5))) return false;
      await started.stop();
      throw error instanceof StopWaiting ? error : this.failure('did not start', error);
    }
  }

  private async answers(started: OwnedProcess): Promise<boolean> {
    if (started.exitStatus !== undefined) {
      throw new StopWaiting(this.failure(`ended ${describeExit(started.exitStatus)} while starting`).message);
    }
    try {
      await queryOnce({ port: this.options.port, password: this.options.password }, 'SELECT 1');
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code !== INVALID_PASSWORD) throw error;
      const { dataDir } = this.options;
      throw new StopWaiting(`The data in ${dataDir} has another superuser password: restore it, or begin afresh.`);
    }
  }

  private requireSameMajor(): void {
    const { dataDir, binaries } = this.options;
    const made = readFileSync(join(dataDir, 'PG_VERSION'), 'utf8').trim();
    if (Number(made) !== binaries.major) {
      throw new ServerError(
        `The data in ${dataDir} was made by Postgres ${made}, but this is ${binaries.version}: begin afresh, ` +
          `or set STOCKYARD_PG_BIN to the programs of Postgres ${made}.`,
      );
    }
  }

  // Postgres judges its lock file by the pid alone, which may belong to somebody else by now.
  private dropForeignLock(): void {
    const { dataDir } = this.options;
    const file = join(dataDir, 'postmaster.pid');
    if (!existsSync(file)) return;
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    if (identifyProcess(pid) !== undefined && !isPostgresOf(pid, dataDir)) rmSync(file, { force: true });
  }

  private failure(what: string, cause?: unknown): ServerError {
    const reason = cause instanceof Error ? ` (${cause.message})` : '';
    return new ServerError(withLogTail(`${this.options.name} ${what}${reason}`, this.options.logFile), { cause });
  }
}

// A postmaster works in its data directory; where the system does not tell, its command line must do.
function isPostgresOf(pid: number, dataDir: string): boolean {
  if (process.platform !== 'linux') return identifyProcess(pid)?.commandLine.includes('postgres') ?? false;
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataDir);
  } catch {
    return false;
  }
}
