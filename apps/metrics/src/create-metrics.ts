/** Builds the metrics process: everything but the port, so that tests start the same application. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AppConfig } from '#libs/config';
import { createHttpApplication } from '#libs/http';
import { listenToMessages } from '#libs/messaging';
import { serveBoard } from './board/board';
import { MetricsModule } from './metrics.module';

export async function createMetrics(config: AppConfig): Promise<NestFastifyApplication> {
  const app = await createHttpApplication({ module: MetricsModule.forRoot(config), config });
  serveBoard(app, config);
  await listenToMessages(app);
  return app;
}
