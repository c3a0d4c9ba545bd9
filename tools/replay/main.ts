/**
 * `npm run replay -- FILE.csv[.gz]`: drives the public REST API with the Online Retail file and checks the platform
 * against its own fold. Figures go to stdout, everything else to stderr. Exit status: 0 without a mismatch, 1 with one
 * or after a failure, 2 for a command line that says nothing runnable.
 */
import { resolve } from 'node:path';
import { loadConfig } from '#libs/config';
import { ApiFailure } from './client/api-failure';
import { readOptions, USAGE, UsageError } from './options';
import { StreamProgress } from './output/progress';
import { table } from './output/summary';
import { replay } from './replay';
import { SourceError } from './source/invoices';

/** dist/tools/replay → the root of the checkout. */
const ROOT = resolve(__dirname, '..', '..', '..');

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), {
    workingDirectory: process.cwd(),
    stackFile: resolve(ROOT, '.stockyard', 'stack.json'),
    adminToken: () => loadConfig(undefined, {}, 'operator').ADMIN_TOKEN,
  });
  if (!options) {
    process.stdout.write(USAGE);
    return 0;
  }
  const summary = await replay(options, new StreamProgress(process.stderr));
  process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : table(summary));
  return summary.mismatches === 0 ? 0 : 1;
}

function tell(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const told = error instanceof ApiFailure || error instanceof UsageError || error instanceof SourceError;
  if (told || (error as NodeJS.ErrnoException).code !== undefined) return error.message;
  return error.stack ?? error.message;
}

main().then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.stderr.write(`replay: ${tell(error)}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
