/**
 * `npm run stockyard -- tenant …` and `… jobs …`: the life of tenants and their dead letters, through the operators' API. Results
 * go to stdout, progress and errors to stderr. Exit status: 0 done, 1 refused or failed, 2 for a command line that says nothing runnable.
 */
import { resolve } from 'node:path';
import { loadConfig } from '#libs/config';
import { AdminApi, Refusal, Unreachable } from './admin-api';
import { OperationFailure, run } from './commands';
import { readOptions } from './options';
import { told } from './output';
import { USAGE, UsageError } from './usage';

/** dist/tools/cli → the root of the checkout. */
const ROOT = resolve(__dirname, '..', '..', '..');

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), {
    stackFile: resolve(ROOT, '.stockyard', 'stack.json'),
    adminToken: () => loadConfig(undefined, {}, 'operator').ADMIN_TOKEN,
  });
  if (!options) {
    process.stdout.write(USAGE);
    return;
  }
  const api = new AdminApi(options.apiUrl, options.adminToken);
  const outcome = await run(options.command, api, (line) => process.stderr.write(`${line}\n`));
  process.stdout.write(options.json ? `${JSON.stringify(outcome)}\n` : told(outcome));
}

function message(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const foreseen = [Refusal, Unreachable, OperationFailure, UsageError].some((known) => error instanceof known);
  if (foreseen || (error as NodeJS.ErrnoException).code !== undefined) return error.message;
  return error.stack ?? error.message;
}

main().catch((error: unknown) => {
  process.stderr.write(`stockyard: ${message(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
