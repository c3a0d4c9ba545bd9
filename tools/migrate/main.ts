/**
 * `npm run migrate`: brings every shard to this release. `--check` only says what is missing. Exit status 1 on failure, or
 * when something is missing.
 */
import { loadConfig } from '#libs/config';
import { checkShards, migrate } from '#libs/database';
import { MIGRATIONS } from '#migrations';
import { parseArguments } from './options';
import { progressLine, schemaLines, summaryLine } from './report';

const print = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const { check } = parseArguments(process.argv.slice(2));
  const config = loadConfig(undefined, {}, 'migrate');
  if (check) {
    const shards = await checkShards(config, MIGRATIONS);
    shards.flatMap(schemaLines).forEach(print);
    if (shards.some(({ violations, away }) => violations.length > 0 || away !== undefined)) process.exitCode = 1;
    return;
  }
  const done = await migrate({
    config,
    migrations: MIGRATIONS,
    onProgress: (progress) => print(progressLine(progress)),
  });
  done.map(summaryLine).forEach(print);
}

main().catch((error: unknown) => {
  process.stderr.write(`migrate: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
