/** The worker process. Exit status 1 with one message when it cannot start. */
import 'reflect-metadata';
import { loadConfig } from '#libs/config';
import { createWorker } from './create-worker';

async function main(): Promise<void> {
  const config = loadConfig();
  const app = await createWorker(config);
  await app.listen(config.WORKER_PORT, config.HOST);
}

main().catch((error: unknown) => {
  process.stderr.write(`worker: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
