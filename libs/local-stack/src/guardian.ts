// A tiny shell beside every server: it waits until the process that started the server is gone, for whatever reason
// (an exit, a signal, even SIGKILL), and then ends the server. No exit hook can promise that.
import { spawn, type ChildProcess } from 'node:child_process';

export interface GuardedProcess {
  readonly pid: number;
  /** Sent first; SIGKILL follows when the process is still there after `graceSeconds`. */
  readonly stopSignal: NodeJS.Signals;
  readonly graceSeconds: number;
}

// The shell's standard input is a pipe from the parent, so "read" ends exactly when the parent does. A process that
// ended stays as a zombie, which takes signals, until its new parent collects it: in a container that may be never.
const SCRIPT = `
lives() {
  kill -0 "$1" 2>/dev/null || return 1
  [ -r "/proc/$1/stat" ] || return 0
  read -r stat < "/proc/$1/stat" || return 1
  case "$stat" in *") Z "*) return 1 ;; esac
}
while read -r _; do :; done
lives "$1" || exit 0
kill -s "$2" "$1" 2>/dev/null
left=$(($3 * 10))
while [ "$left" -gt 0 ] && lives "$1"; do sleep 0.1; left=$((left - 1)); done
lives "$1" && kill -s KILL "$1" 2>/dev/null
exit 0
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
