// The directory of one stack: data, secrets, logs. It holds only what the stack made, so that --fresh may delete it.
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { removeServerData } from '#libs/local-stack';
import { SERVER_NAMES } from './shard-names';
import { StackError } from './stack-error';

const MARKER = '.stockyard-stack';
const MARKER_TEXT = 'Made by "npm start" of Stockyard; "npm start -- --fresh" deletes the data that it keeps here.\n';

const MADE = [
  'redis',
  'files',
  'logs',
  'run',
  ...['secrets', 'seed', 'ports', 'shards', 'stack'].map((name) => `${name}.json`),
];

export class StateDirectory {
  private constructor(readonly path: string) {}

  /** Creates the directory. Throws a StackError when it holds files that this stack did not make. */
  static open(path: string): StateDirectory {
    const marker = join(path, MARKER);
    mkdirSync(path, { recursive: true });
    if (!existsSync(marker)) {
      if (readdirSync(path).length > 0) {
        throw new StackError(
          `${path} holds files that this stack did not make: set STOCKYARD_DIR to another directory.`,
        );
      }
      writeFileSync(marker, MARKER_TEXT);
      // Root's Postgres runs as another user, who must get to its data below.
      chmodSync(path, process.getuid?.() === 0 ? 0o711 : 0o700);
    }
    return new StateDirectory(path);
  }

  file(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  /** As `file`, for people: seen from the working directory when it lies below. */
  shown(...names: readonly string[]): string {
    const path = this.file(...names);
    const short = relative(process.cwd(), path);
    return short.startsWith('..') ? path : short;
  }

  /** A directory for this user alone. */
  privateDirectory(name: string): string {
    const path = this.file(name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  }

  /** The parsed file, or undefined when there is none. Throws a StackError when it is damaged. */
  readJson(name: string): unknown {
    if (!existsSync(this.file(name))) return undefined;
    try {
      return JSON.parse(readFileSync(this.file(name), 'utf8')) as unknown;
    } catch (cause) {
      throw new StackError(`${this.shown(name)} is damaged: repair it, or begin anew with npm start -- --fresh`, 1, {
        cause,
      });
    }
  }

  /** Replaces the file at once (readers see the old or the new one), readable for this user alone. */
  writeJson(name: string, value: unknown): void {
    const draft = this.file(`${name}.${randomBytes(4).toString('hex')}`);
    writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
    renameSync(draft, this.file(name));
  }

  remove(name: string): void {
    rmSync(this.file(name), { recursive: true, force: true });
  }

  /** Deletes everything that earlier stacks kept here, and nothing else. */
  async removeData(): Promise<void> {
    // They may lie elsewhere when the servers' user cannot reach this directory.
    for (const name of SERVER_NAMES) await removeServerData(this.file(name));
    for (const name of MADE) this.remove(name);
  }
}
