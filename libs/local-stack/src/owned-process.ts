// A child process that never outlives its parent: logged to a file, recorded in a pid file, watched by a guardian.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { startGuardian } from './guardian';
import { endLeftBehind, removePidRecord, writePidRecord } from './pid-record';
import { ServerError } from './server-error';

export interface OwnedProcessOptions {
  /** Stands in messages, e.g. "Postgres". */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Run as this user; only root may. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Standard output and error are appended here. */
  readonly logFile: string;
  readonly pidFile: string;
  /** Asks for an orderly end. */
  readonly stopSignal: NodeJS.Signals;
  /** How long an orderly end may take in milliseconds, before SIGKILL. Default 15,000. */
  readonly stopTimeoutMs?: number;
}

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** "with code 1" or "by SIGKILL", to stand after "ended". */
export function describeExit({ code, signal }: ExitStatus): string {
  return signal === null ? `with code ${String(code)}` : `by ${signal}`;
}

/**
 * States: running → ended, never back. It does not keep the event loop of its parent alive; when the parent is gone,
 * the guardian stops it. The pid file exists exactly while it runs.
 */
export class OwnedProcess {
  private static readonly all = new Set<OwnedProcess>();

  /** Fulfilled when the process ended; never rejected. */
  readonly exited: Promise<ExitStatus>;
  private status: ExitStatus | undefined;

  private constructor(
    private readonly child: ChildProcess,
    readonly pid: number,
    readonly options: OwnedProcessOptions,
  ) {
    const stopTimeoutMs = options.stopTimeoutMs ?? 15_000;
    writePidRecord(options.pidFile, pid);
    const graceSeconds = Math.ceil(stopTimeoutMs / 1000);
    const guardian = startGuardian({ pid, stopSignal: options.stopSignal, graceSeconds });
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        guardian.kill('SIGKILL');
        removePidRecord(options.pidFile);
        this.status = { code, signal };
        OwnedProcess.all.delete(this);
        resolve(this.status);
      });
    });
    child.unref();
    OwnedProcess.all.add(this);
  }

  /** SIGKILL to every process that runs; resolves when they are gone. For leaving in a hurry. */
  static async killAll(): Promise<void> {
    await Promise.all([...OwnedProcess.all].map((owned) => owned.kill('SIGKILL')));
  }

  /**
   * Ends what an earlier, killed parent left under the same pid file, then starts the process. Rejects with a
   * ServerError when the command cannot be run or the pid file belongs to a process whose parent still runs.
   */
  static async start(options: OwnedProcessOptions): Promise<OwnedProcess> {
    await endLeftBehind(options.pidFile, options.stopSignal, options.stopTimeoutMs);
    mkdirSync(dirname(options.logFile), { recursive: true });
    const log = openSync(options.logFile, 'a', 0o600);
    try {
      const child = spawn(options.command, options.args, {
        env: options.env ?? process.env,
        detached: true, // Ctrl-C reaches only the parent, which stops its servers in order
        stdio: ['ignore', log, log],
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...(options.user === undefined ? {} : { uid: options.user.uid, gid: options.user.gid }),
      });
      const failed = new Promise<Error>((resolve) => child.once('error', resolve));
      if (child.pid === undefined) {
        throw new ServerError(`${options.name} could not be started: ${(await failed).message}`);
      }
      return new OwnedProcess(child, child.pid, options);
    } finally {
      closeSync(log);
    }
  }

  get running(): boolean {
    return this.status === undefined;
  }

  /** How it ended, or undefined while it runs. */
  get exitStatus(): ExitStatus | undefined {
    return this.status;
  }

  /** Asks for an orderly end and waits for it; SIGKILL after the stop timeout. Does nothing when it ended already. */
  async stop(): Promise<ExitStatus> {
    const timer = setTimeout(() => this.send('SIGKILL'), this.options.stopTimeoutMs ?? 15_000);
    try {
      this.send(this.options.stopSignal);
      this.send('SIGCONT'); // a frozen process cannot take the other signal
      return await this.ended();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a signal. Waits for the end, except after SIGSTOP and SIGCONT, which freeze and thaw the process. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.send(signal);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await this.ended();
  }

  private send(signal: NodeJS.Signals): void {
    if (this.running) this.child.kill(signal);
  }

  private async ended(): Promise<ExitStatus> {
    this.child.ref();
    return this.exited;
  }
}
