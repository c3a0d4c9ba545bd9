/** How long a process takes until it is ready, with what processor time, and what it holds of memory then. */
import { setTimeout as pause } from 'node:timers/promises';
import type { PlatformProcess } from '../../../bench/harness/platform-process';
import { processorSeconds } from '../../../bench/harness/processor-time';
import { spread } from '../../../bench/harness/statistics';
import { residentBytes, rounded } from './resident';

const TIMES = 3;
const REST_MS = 5_000;

export interface StartFigures {
  readonly start_seconds: number;
  readonly start_cpu_seconds: number;
  readonly idle_bytes: number;
}

/** The fastest start, as others on the machine only slow it down; medians of the rest. */
export async function startFigures(start: () => Promise<PlatformProcess>): Promise<StartFigures> {
  const [seconds, cpu, bytes]: [number[], number[], number[]] = [[], [], []];
  for (let time = 0; time < TIMES; time += 1) {
    const began = performance.now();
    const process = await start();
    seconds.push((performance.now() - began) / 1_000);
    cpu.push(processorSeconds(process.pid));
    if (time === 0) await pause(REST_MS);
    bytes.push(residentBytes(process.pid));
    await process.stop();
  }
  return {
    start_seconds: rounded(spread(seconds).min),
    start_cpu_seconds: rounded(spread(cpu).median),
    idle_bytes: spread(bytes).median,
  };
}
