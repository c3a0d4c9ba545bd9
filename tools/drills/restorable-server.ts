/** A Postgres of its own that archives its log, with the directories that the page of backups speaks of. */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type LocalPostgres, removeServerData, startLocalPostgres } from '#libs/local-stack';
import { PageShell } from './page-shell';

const PASSWORD = 'drill-superuser';

export class RestorableServer {
  private server: LocalPostgres | undefined;

  private constructor(
    private readonly directory: string,
    private readonly binDir: string,
    private readonly page: string,
  ) {}

  /** `binDir`: of an installed Postgres with all its programs. */
  static async start({ binDir, page }: { readonly binDir: string; readonly page: string }): Promise<RestorableServer> {
    const directory = mkdtempSync(join(tmpdir(), 'stockyard-drill-'));
    chmodSync(directory, 0o711);
    const drill = new RestorableServer(directory, binDir, page);
    await drill.open(join(directory, 'first'));
    const { user } = drill.postgres.options;
    for (const name of ['kept', 'home']) {
      mkdirSync(join(directory, name));
      if (user) chownSync(join(directory, name), user.uid, user.gid);
    }
    return drill;
  }

  get postgres(): LocalPostgres {
    if (this.server) return this.server;
    throw new Error('It does not run.');
  }

  get url(): string {
    return this.postgres.url({ database: 'stockyard' });
  }

  /** Runs a block of the page as the server's user, as the page says. */
  run(block: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
    const { user, port } = this.postgres.options;
    const shell = new PageShell({
      page: this.page,
      cwd: join(this.directory, 'kept'),
      user,
      env: {
        PATH: [this.binDir, process.env.PATH].join(delimiter),
        HOME: join(this.directory, 'home'),
        ...{ PGHOST: '127.0.0.1', PGPORT: String(port), PGUSER: 'postgres', PGPASSWORD: PASSWORD },
        ARCHIVE: join(this.directory, 'kept', 'archive'),
        BACKUPS: join(this.directory, 'kept', 'backups'),
        RESTORED: this.restoredDirectory,
      },
    });
    return shell.run(block, more);
  }

  async restart(): Promise<void> {
    await this.postgres.stop();
    await this.postgres.start();
  }

  /** Ends the first server and starts one on what was restored, on the same port. */
  async openRestored(): Promise<void> {
    const { port } = this.postgres;
    await this.postgres.stop();
    await this.open(this.restoredDirectory, port);
  }

  async remove(): Promise<void> {
    await this.server?.stop();
    for (const name of ['first', 'kept/restored']) await removeServerData(join(this.directory, name));
    rmSync(this.directory, { recursive: true, force: true });
  }

  private get restoredDirectory(): string {
    return join(this.directory, 'kept', 'restored');
  }

  private async open(dataDir: string, port?: number): Promise<void> {
    const { binDir } = this;
    this.server = await startLocalPostgres({
      ...{ dataDir, binDir, password: PASSWORD, throwaway: true },
      ...(port === undefined ? {} : { port }),
    });
  }
}
