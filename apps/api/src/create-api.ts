/** Builds the api process: everything but the port, so that tests start the same application. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AppConfig } from '#libs/config';
import { createHttpApplication } from '#libs/http';
import { listenToMessages } from '#libs/messaging';
import { AppModule } from './app.module';
import { serveDocs } from './docs/openapi';

export async function createApi(config: AppConfig): Promise<NestFastifyApplication> {
  const app = await createHttpApplication({ module: AppModule.forRoot(config), config });
  serveDocs(app, config);
  await listenToMessages(app);
  return app;
}
