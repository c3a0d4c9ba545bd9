// The one error of the local servers: what failed, what to do next, and the server's own last words.
import { readFileSync } from 'node:fs';

/** A local server could not be started, stopped or used. The message is complete: it needs no stack trace to act on. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
}

/** The last `lines` lines of a log file, indented; an empty string when there is no file or nothing in it. */
export function logTail(logFile: string, lines = 15): string {
  try {
    const text = readFileSync(logFile, 'utf8').trimEnd();
    if (text === '') return '';
    return text
      .split('\n')
      .slice(-lines)
      .map((line) => `    ${line}`)
      .join('\n');
  } catch {
    return '';
  }
}

/** `message` followed by the last lines of `logFile`, when it has any. */
export function withLogTail(message: string, logFile: string, lines = 15): string {
  const tail = logTail(logFile, lines);
  return tail === '' ? message : `${message}\n  last lines of ${logFile}:\n${tail}`;
}
