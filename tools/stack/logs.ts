// Where each process logs. The log of the last start is kept beside the new one, as NAME.log.1.
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { StateDirectory } from './state-directory';

export type LogFile = (name: string) => string;

/** Answers the path of a process' log file; the first call for a name moves the old file aside. */
export function logFiles(state: StateDirectory): LogFile {
  const directory = state.privateDirectory('logs');
  const begun = new Set<string>();
  return (name) => {
    const file = join(directory, `${name}.log`);
    if (!begun.has(name) && existsSync(file)) renameSync(file, `${file}.1`);
    begun.add(name);
    return file;
  };
}
