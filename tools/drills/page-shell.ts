/** Runs the blocks of a page in bash, as an operator who pastes them: each ends at the first command that fails. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { blocksOf } from './blocks';

export interface PageShellOptions {
  /** A Markdown file. */
  readonly page: string;
  /** What the page's variables stand for, and PATH. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Who runs them; default: this process's user. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

const TIMEOUT_MS = 120_000;
const execute = promisify(execFile);

export class PageShell {
  private readonly blocks: ReadonlyMap<string, string>;

  constructor(private readonly options: PageShellOptions) {
    const blocks = blocksOf(readFileSync(options.page, 'utf8'));
    this.blocks = new Map(blocks.map(({ name, commands }) => [name, commands]));
  }

  get names(): string[] {
    return [...this.blocks.keys()];
  }

  /** Answers what the block wrote to stdout. Rejects with all that it said where a command failed. `more`: further variables. */
  async run(name: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
    const commands = this.blocks.get(name);
    if (commands === undefined) throw new Error(`${this.options.page} has no block ${name}.`);
    const { env, cwd, user } = this.options;
    try {
      const { stdout } = await execute('bash', ['-euo', 'pipefail', '-c', commands], {
        cwd,
        env: { ...env, ...more },
        timeout: TIMEOUT_MS,
        maxBuffer: 2 ** 24,
        ...(user && { uid: user.uid, gid: user.gid }),
      });
      return stdout;
    } catch (error) {
      const { message, stdout = '', stderr = '' } = error as Error & { stdout?: string; stderr?: string };
      throw new Error(`Block ${name}: ${stdout}${stderr || message}`, { cause: error });
    }
  }
}
