// What the files of a Postgres data directory say about it while no server runs on it.
import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** Whether a cluster was made here completely. */
export function isMade(dataDir: string): boolean {
  return existsSync(join(dataDir, 'PG_VERSION'));
}

/** Whether a server started here follows another one. A promotion ends that for good. */
export function isStandby(dataDir: string): boolean {
  return existsSync(join(dataDir, 'standby.signal'));
}

/** Tells clusters apart: the same on a primary and everything that was ever copied from it. */
export function systemIdentifier(dataDir: string): string | undefined {
  // src/include/catalog/pg_control.h: the control file begins with it, in the machine's byte order.
  const file = join(dataDir, 'global', 'pg_control');
  if (!existsSync(file)) return undefined;
  const bytes = new BigUint64Array(1);
  const fd = openSync(file, 'r');
  try {
    readSync(fd, new Uint8Array(bytes.buffer));
  } finally {
    closeSync(fd);
  }
  return String(BigInt.asIntN(64, bytes[0] ?? 0n));
}

/** Number of the newest timeline of which there is log here: every promotion begins one. 0 when there is no log. */
export function newestTimeline(dataDir: string): number {
  // PostgreSQL manual, 28.6, "WAL Internals": the first 8 hexadecimal digits of a segment's name are its timeline.
  const directory = join(dataDir, 'pg_wal');
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const timelines = names.flatMap((name) => /^([0-9A-F]{8})(?:[0-9A-F]{16}|\.history)/.exec(name)?.[1] ?? []);
  return Math.max(0, ...timelines.map((digits) => Number.parseInt(digits, 16)));
}
