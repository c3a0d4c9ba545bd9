/**
 * The worker process: `worker [--classes bulk,low]`. Exit status 1 with one message when it cannot start, 2 for a command line
 * that it does not know.
 */
import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { loadConfig } from '#libs/config';
import { createWorker } from './create-worker';

function overrides(): Record<string, string> {
  try {
    const { classes } = parseArgs({ options: { classes: { type: 'string' } } }).values;
    return classes === undefined ? {} : { WORKER_CLASSES: classes };
  } catch (error) {
    process.stderr.write(
      `worker: ${(error as Error).message}\nUsage: worker [--classes critical,high,normal,low,bulk]\n`,
    );
    process.exit(2);
  }
}

async function main(): Promise<void> {
  const config = loadConfig(undefined, overrides());
  const app = await createWorker(config);
  await app.listen(config.WORKER_PORT, config.HOST);
}

main().catch((error: unknown) => {
  process.stderr.write(`worker: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
