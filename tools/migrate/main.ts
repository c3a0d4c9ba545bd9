/** `npm run migrate`: brings the database of DATABASE_URL to this release. Exit status 1 with one line on failure. */
import { loadConfig } from '#libs/config';
import { migrate } from '#libs/database';
import { MIGRATIONS } from '#migrations';

async function main(): Promise<void> {
  const applied = await migrate({ config: loadConfig(), migrations: MIGRATIONS });
  process.stdout.write(applied.length === 0 ? 'The schema is up to date.\n' : `Applied: ${applied.join(', ')}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`migrate: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
