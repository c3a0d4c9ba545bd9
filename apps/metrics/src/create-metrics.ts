/** Builds the metrics process: everything but the port, so that tests start the same application. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AppConfig } from '#libs/config';
import { createHttpApplication } from '#libs/http';
import { listenToMessages } from '#libs/messaging';
import { serveBoard } from './board/board';
import { servePage } from './dashboard/page';
import { MetricsModule } from './metrics.module';

export interface MetricsOptions {
  /** Of the built page. Default: where the build leaves it. */
  readonly pageDirectory?: string;
}

export async function createMetrics(config: AppConfig, options: MetricsOptions = {}): Promise<NestFastifyApplication> {
  const app = await createHttpApplication({ module: MetricsModule.forRoot(config), config });
  serveBoard(app, config);
  servePage(app, options.pageDirectory);
  await listenToMessages(app);
  return app;
}
