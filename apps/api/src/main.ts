/** The api process. Exit status 1 with one message when it cannot start. */
import 'reflect-metadata';
import { loadConfig } from '#libs/config';
import { guardOutput } from '#libs/observability';
import { createApi } from './create-api';

async function main(): Promise<void> {
  const config = loadConfig(undefined, {}, 'api');
  guardOutput(config, 'api');
  const app = await createApi(config);
  await app.listen(config.API_PORT, config.HOST);
}

main().catch((error: unknown) => {
  process.stderr.write(`api: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
