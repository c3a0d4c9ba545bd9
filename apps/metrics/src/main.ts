/** The metrics process. Exit status 1 with one message when it cannot start. */
import 'reflect-metadata';
import { loadConfig } from '#libs/config';
import { guardOutput } from '#libs/observability';
import { createMetrics } from './create-metrics';

async function main(): Promise<void> {
  const config = loadConfig(undefined, {}, 'metrics');
  guardOutput(config, 'metrics');
  const app = await createMetrics(config);
  await app.listen(config.METRICS_PORT, config.HOST);
}

main().catch((error: unknown) => {
  process.stderr.write(`metrics: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
