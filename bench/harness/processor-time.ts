/** Processor time of processes, from /proc: Linux only. Tells what a figure was spent on; decides nothing. */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ, which is 100 on every architecture that Node runs on. */
const TICKS_A_SECOND = 100;
const STATES = /^\d+ \(.*\) \S (\d+) (?:\S+ ){9}(\d+) (\d+) (\d+) (\d+)/s;

interface Times {
  readonly parent: number;
  readonly seconds: number;
  /** Of children that have ended. */
  readonly endedSeconds: number;
}

function timesOf(pid: number): Times | undefined {
  try {
    const [, parent, user, system, endedUser, endedSystem] =
      STATES.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.map(Number) ?? [];
    return {
      parent: parent!,
      seconds: (user! + system!) / TICKS_A_SECOND,
      endedSeconds: (endedUser! + endedSystem!) / TICKS_A_SECOND,
    };
  } catch {
    return undefined; // ended meanwhile, or no /proc
  }
}

/** Seconds that a process and its children have taken, those that have ended included; 0 without /proc. */
export function processorSeconds(pid: number): number {
  const own = timesOf(pid);
  if (!own) return 0;
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && timesOf(Number(name))?.parent === pid);
  return children.reduce((sum, child) => sum + timesOfTree(Number(child)), own.seconds + own.endedSeconds);
}

function timesOfTree(pid: number): number {
  const times = timesOf(pid);
  return times ? times.seconds + times.endedSeconds : 0;
}
