/** A worker's modules with the lifecycle inside a spec: real database and Redis. */
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { AppConfig } from '#libs/config';
import { QueuesModule, QueueWorkerModule } from '#libs/queues';
import { StorageModule } from '#libs/storage';
import { platformModules, waitFor } from '#libs/testing';
import { UsageModule } from '#libs/usage';
import { LifecycleModule, LifecycleWorkerModule, type Operation, OperationRunner, OperationService } from '../src';

export async function lifecycleUnderTest(config: AppConfig): Promise<INestApplicationContext> {
  const app = await Test.createTestingModule({
    imports: [
      ...platformModules(config),
      StorageModule,
      UsageModule.forRoot(),
      QueuesModule.forRoot({ jobs: [] }),
      QueueWorkerModule.forRoot(config),
      LifecycleModule,
      LifecycleWorkerModule,
    ],
  }).compile();
  await app.init();
  app.get(OperationRunner).start();
  return app;
}

/** The operation once it has ended. */
export function ended(
  app: INestApplicationContext,
  { id }: Pick<Operation, 'id'>,
  timeoutMs = 45_000,
): Promise<Operation> {
  const probe = async () => {
    const operation = await app.get(OperationService).get(id);
    return operation.finishedAt ? operation : undefined;
  };
  return waitFor(probe, { what: 'the end of the operation', timeoutMs });
}
