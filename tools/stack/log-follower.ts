// Prints what is added to log files, each line with the name of its process (--verbose).
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

const POLL_MS = 200;

interface Followed {
  readonly name: string;
  readonly file: string;
  readonly decoder: StringDecoder;
  position: number;
  rest: string;
}

export class LogFollower {
  private readonly followed: Followed[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly print: (line: string) => void) {}

  /** Follows `file` from its beginning; it may not exist yet. */
  follow(name: string, file: string): void {
    this.followed.push({ name, file, decoder: new StringDecoder('utf8'), position: 0, rest: '' });
    this.timer ??= setInterval(() => this.poll(), POLL_MS);
  }

  /** Prints what is left and ends. */
  stop(): void {
    clearInterval(this.timer);
    this.poll();
  }

  private poll(): void {
    for (const log of this.followed) {
      const lines = (log.rest + readAdded(log)).split('\n');
      log.rest = lines.pop() ?? '';
      for (const line of lines) this.print(`${log.name.padEnd(8)} | ${line}`);
    }
  }
}

function readAdded(log: Followed): string {
  let fd: number;
  try {
    fd = openSync(log.file, 'r');
  } catch {
    return '';
  }
  try {
    const added = Buffer.alloc(Math.max(0, fstatSync(fd).size - log.position));
    const length = readSync(fd, added, 0, added.length, log.position);
    log.position += length;
    return log.decoder.write(added.subarray(0, length));
  } finally {
    closeSync(fd);
  }
}
