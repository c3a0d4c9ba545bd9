/** Builds the worker process: everything but the port, so that tests start the same application. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AppConfig } from '#libs/config';
import { createHttpApplication } from '#libs/http';
import { OperationRunner } from '#libs/lifecycle';
import { listenToMessages } from '#libs/messaging';
import { QueueHost } from '#libs/queues';
import { Scheduler } from '#libs/schedules';
import { WorkerModule } from './worker.module';

export async function createWorker(given: AppConfig): Promise<NestFastifyApplication> {
  const config = { ...given, SHUTDOWN_NOTICE_MS: 0 }; // no balancer sends it requests: its jobs have the whole grace
  const app = await createHttpApplication({ module: WorkerModule.forRoot(config), config });
  await listenToMessages(app);
  await app.init();
  app.get(QueueHost).start();
  app.get(OperationRunner).start();
  app.get(Scheduler).start();
  return app;
}
