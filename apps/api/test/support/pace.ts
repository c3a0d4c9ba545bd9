/**
 * Whether the machine lets a spec judge by the clock: again and again an api is asked for what no other server has a part in,
 * and the kernel how many processes want a processor. On a machine that others keep busy, servers that are well answer later
 * than the api has patience for, and it is right to doubt them.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningApi } from './api-fixture';
import type { FastCaller } from './fast-caller';

const EVERY_MS = 10;
/** A third of the patience that the api has with a standby. */
const LONGEST_PAUSE_MS = 100;
/** For each processor, on average. What the specs themselves start stays under it. */
const MOST_RUNNABLE = 2.5;

export class Pace {
  private verdict: boolean | undefined;
  private longestMs = 0;
  private askedMs = performance.now();
  private samples = 0;
  private runnable = 0;
  private readonly asked: Promise<void>;

  private constructor(
    private readonly api: RunningApi,
    private readonly caller: FastCaller,
  ) {
    this.asked = this.ask();
  }

  static start(api: RunningApi, caller: FastCaller): Pace {
    return new Pace(api, caller);
  }

  /** So far; once stopped, as it was then. */
  get isKept(): boolean {
    if (this.verdict !== undefined) return this.verdict;
    const runnable = this.runnable / this.samples / availableParallelism();
    return runnable < MOST_RUNNABLE && Math.max(this.longestMs, this.pauseMs) < LONGEST_PAUSE_MS;
  }

  async stop(): Promise<void> {
    this.verdict = this.isKept;
    await this.asked;
  }

  private get pauseMs(): number {
    return performance.now() - this.askedMs - EVERY_MS;
  }

  private async ask(): Promise<void> {
    while (this.verdict === undefined) {
      this.askedMs = performance.now();
      this.samples += 1;
      this.runnable += runnableProcesses();
      const { status } = await this.caller.call(this.api, 'GET', '/live');
      if (status !== 200) throw new Error(`The api answered ${status} to /live.`);
      await delay(EVERY_MS);
      this.longestMs = Math.max(this.longestMs, this.pauseMs);
    }
  }
}

/** Of the whole machine: proc(5), /proc/stat. */
function runnableProcesses(): number {
  return Number(/^procs_running (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]);
}
