/** The log of a job: what its tenant may read of how it went. Lines are numbered from 1; the newest 1,000 are kept. */

export const LOG_LEVELS = ['info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface NewLogLine {
  readonly at: Date;
  readonly level: LogLevel;
  readonly message: string;
}

export interface LogLine extends NewLogLine {
  /** 1 is the first line that the job ever wrote. */
  readonly line: number;
}

/** Lines that are kept of a job; older ones make room for newer ones. */
export const KEPT_LINES = 1_000;
const MAX_MESSAGE = 2_000;

/** What a column can hold of a message: no NUL, no half of a surrogate pair, 2,000 characters at most. */
export function logLine(level: LogLevel, message: string): NewLogLine {
  const text = message.toWellFormed().replaceAll('\0', '');
  return {
    at: new Date(),
    level,
    message: text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE - 1).toWellFormed()}…` : text,
  };
}

/** The lines of a step, until they are written with it. Holds no more than the log would keep. */
export class LogBuffer {
  private lines: NewLogLine[] = [];

  add(level: LogLevel, message: string): void {
    if (this.lines.length === KEPT_LINES) this.lines.shift();
    this.lines.push(logLine(level, message));
  }

  /** The lines so far. They stay until written() is told of them. */
  peek(): readonly NewLogLine[] {
    return [...this.lines];
  }

  /** Lines that peek() gave have been written. */
  written(lines: readonly NewLogLine[]): void {
    const done = new Set(lines);
    this.lines = this.lines.filter((line) => !done.has(line));
  }
}
