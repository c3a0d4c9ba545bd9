/**
 * What this process uses of what it may: processor time since the last look, and memory. Limits are those of the configuration, else
 * of its control group (a container's), else one processor, as one thread runs the code, and the memory of the machine.
 */
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { AppConfig } from '#libs/config';

export interface ProcessLimits {
  readonly cpuCores: number;
  readonly memoryBytes: number;
}

export interface ProcessLoad {
  /** 1 is all of the limit; a process without one may use more. */
  readonly cpuRatio: number;
  readonly memoryRatio: number;
}

const MILLI = 1_000;
const US_PER_MS = 1_000;
/** Version 2 and version 1 of control groups; `max` and -1 mean no limit. */
const CPU_MAX = '/sys/fs/cgroup/cpu.max';
const CPU_QUOTA = '/sys/fs/cgroup/cpu/cpu.cfs_quota_us';
const CPU_PERIOD = '/sys/fs/cgroup/cpu/cpu.cfs_period_us';

type ReadFile = (path: string) => string;
const readText: ReadFile = (path) => readFileSync(path, 'utf8');

/** Processors that the control group may use; undefined without a limit. */
export function cgroupCores(read: ReadFile = readText): number | undefined {
  for (const look of [() => read(CPU_MAX), () => `${read(CPU_QUOTA)} ${read(CPU_PERIOD)}`]) {
    try {
      const [quota, period] = look().trim().split(/\s+/).map(Number);
      return quota! > 0 && period! > 0 ? quota! / period! : undefined;
    } catch {
      continue; // of the other version, or none
    }
  }
  return undefined;
}

/** Node says 0, or more than the machine has, where there is none. */
function cgroupMemory(): number | undefined {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : undefined;
}

export function processLimits(
  config: Pick<AppConfig, 'PROCESS_CPU_MILLICORES' | 'PROCESS_MEMORY_BYTES'>,
): ProcessLimits {
  return {
    cpuCores: config.PROCESS_CPU_MILLICORES / MILLI || cgroupCores() || 1,
    memoryBytes: config.PROCESS_MEMORY_BYTES || cgroupMemory() || totalmem(),
  };
}

export class ProcessLoadMeter {
  private cpuUs = 0;
  private atMs = 0;

  /** The clocks are those of the process, unless a spec has its own. */
  constructor(
    private readonly limits: ProcessLimits,
    private readonly usedUs: () => number = cpuUsedUs,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.cpuUs = usedUs();
    this.atMs = nowMs();
  }

  /** Since the last call, or the making. */
  look(): ProcessLoad {
    const [cpuUs, atMs] = [this.usedUs(), this.nowMs()];
    const passedUs = Math.max(1, (atMs - this.atMs) * US_PER_MS);
    const cpuRatio = (cpuUs - this.cpuUs) / passedUs / this.limits.cpuCores;
    this.cpuUs = cpuUs;
    this.atMs = atMs;
    return { cpuRatio, memoryRatio: process.memoryUsage.rss() / this.limits.memoryBytes };
  }
}

function cpuUsedUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
