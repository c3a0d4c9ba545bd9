/** A migrator as a program of its own, to be killed and to collide: applies the trial migrations, prints each step as JSON. */
import { loadConfig } from '#libs/config';
import { migrate } from '#libs/database';
import { TRIAL_MIGRATIONS } from './trial-migrations';

migrate({
  config: loadConfig(),
  migrations: TRIAL_MIGRATIONS,
  onProgress: (progress) => process.stdout.write(`${JSON.stringify(progress)}\n`),
}).catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
