/**
 * Notes in the directory that this release of this process has started; the first process of a release is remembered. A process
 * starts without it: while the directory is away it tries again now and then, and a release that nobody could note is not shown.
 */
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  Optional,
} from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { CONTROL_POOL, type PrimaryPool } from '#libs/database';
import { PROCESS_NAME, type ProcessName } from './process-name';

const AGAIN_MS = 30_000;
const NOTE = 'insert into deploys (version, process) values ($1, $2) on conflict do nothing';

@Injectable()
export class DeployRecord implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('DeployRecord');
  private noting: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private leaving = false;

  constructor(
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'version'>,
    @Inject(PROCESS_NAME) private readonly name: ProcessName,
    @Optional() @Inject(CONTROL_POOL) private readonly directory: PrimaryPool | null,
  ) {}

  onApplicationBootstrap(): void {
    this.note();
  }

  /** Its connection goes with the process. */
  async beforeApplicationShutdown(): Promise<void> {
    this.leaving = true;
    clearTimeout(this.timer);
    await this.noting;
  }

  private note(): void {
    this.noting = this.write().catch((error: unknown) => {
      this.logger.warn({ err: error }, 'The release was not noted in the directory; trying again.');
      if (!this.leaving) this.timer = setTimeout(() => this.note(), AGAIN_MS).unref();
    });
  }

  private async write(): Promise<void> {
    await this.directory?.query(NOTE, [this.config.version, this.name]);
  }
}
