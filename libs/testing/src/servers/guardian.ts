// A tiny shell beside every server: it waits until the process that started the server is gone, for whatever reason
// (an exit, a signal, even SIGKILL), and then ends the server. No exit hook can promise that.
import { spawn, type ChildProcess } from 'node:child_process';

export interface GuardedProcess {
  readonly pid: number;
  /** Sent first; SIGKILL follows when the process is still there after `graceSeconds`. */
  readonly stopSignal: NodeJS.Signals;
  readonly graceSeconds: number;
}

// The shell's standard input is a pipe from the parent, so "read" ends exactly when the parent does.
const SCRIPT = `
while read -r _; do :; done
kill -s "$2" "$1" 2>/dev/null || exit 0
left=$(($3 * 10))
while [ "$left" -gt 0 ] && kill -0 "$1" 2>/dev/null; do sleep 0.1; left=$((left - 1)); done
kill -s KILL "$1" 2>/dev/null
`;

/** The arguments of /bin/sh for a guardian. */
export function guardianArguments(guarded: GuardedProcess): string[] {
  const signal = guarded.stopSignal.replace(/^SIG/, '');
  return ['-c', SCRIPT, 'stockyard-guardian', String(guarded.pid), signal, String(guarded.graceSeconds)];
}

/** Starts the guardian of a process. Kill the returned one when the guarded process ended: its pid may be reused. */
export function startGuardian(guarded: GuardedProcess): ChildProcess {
  const guardian = spawn('/bin/sh', guardianArguments(guarded), {
    cwd: '/',
    detached: true, // a session of its own: Ctrl-C in the terminal must not end it before its time
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guardian.on('error', () => undefined);
  guardian.stdin.on('error', () => undefined);
  guardian.unref();
  (guardian.stdin as unknown as { unref?: () => void }).unref?.();
  return guardian;
}
