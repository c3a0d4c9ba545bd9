/**
 * The worker process: `worker [--classes bulk,low]`. Exit status 1 with one message when it cannot start, or when a job did not
 * come to its next step before the grace was over; 2 for a command line that it does not know.
 */
import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { loadConfig } from '#libs/config';
import { guardOutput } from '#libs/observability';
import { createWorker } from './create-worker';

/** Of the grace: before whoever asked loses patience. */
const SHARE_OF_GRACE = 0.95;

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
  const config = loadConfig(undefined, overrides(), 'worker');
  guardOutput(config, 'worker');
  const app = await createWorker(config);
  await app.listen(config.WORKER_PORT, config.HOST);
  process.once('SIGTERM', () => setTimeout(giveUp, config.SHUTDOWN_GRACE_MS * SHARE_OF_GRACE).unref());
}

/** What still hangs keeps connections open, and locks: without this process another worker goes on with it at once. */
function giveUp(): void {
  process.stderr.write(
    'worker: a job did not come to its next step in time; it goes on from its checkpoint elsewhere.\n',
  );
  process.exit(1);
}

main().catch((error: unknown) => {
  process.stderr.write(`worker: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
