/** Memory of a process from /proc: Linux only. */
import { readFileSync } from 'node:fs';

const KIB = 1_024;

/** Resident memory, which a container's working set is at most. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * KIB;
}

/** To five digits: more were never measured. */
export const rounded = (value: number): number => Number(value.toPrecision(5));

/** Values at quantiles from 0 to 1, five hundredths apart. */
export function quantiles(
  values: readonly number[],
  quantile: (sorted: readonly number[], share: number) => number,
): number[] {
  const sorted = [...values].sort((one, other) => one - other);
  return Array.from({ length: 21 }, (_, index) => rounded(quantile(sorted, index / 20)));
}
