/** `npm run bench -- NAME`: figures on stdout, what is going on and what targets say on stderr. */
import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCHES } from './benches';
import { runBenchCli } from './harness/cli';
import type { Targets } from './harness/targets';

runBenchCli(process.argv.slice(2), {
  benches: BENCHES,
  targets: JSON.parse(readFileSync(join(__dirname, 'targets.json'), 'utf8')) as Targets,
  out: (text) => process.stdout.write(text),
  tell: (text) => process.stderr.write(`${text}\n`),
}).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.stderr.write(`bench: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  },
);
