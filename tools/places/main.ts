/**
 * `npm run places [-- --repair]`: where the directory and the shards disagree about an organization, after one of them was restored
 * (docs/operations/backup.md). Exit status 1 where they do, or still do.
 */
import { loadConfig } from '#libs/config';
import type { Difference } from './compare';
import { findDifferences, repair } from './places';
import { shardClients } from './shard-clients';

const USAGE = `Usage: npm run places              says where the directory and the shards disagree; exit status 1 when they do
       npm run places -- --repair  brings together what can be, while no process runs`;

const print = (line: string) => process.stdout.write(`${line}\n`);
const toldOf = ({ organization, slug, what, repair: found }: Difference) =>
  `${slug ?? '?'}  ${organization}  ${what}${found ? '' : '  (yours to decide)'}`;

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.find((argument) => argument !== '--repair');
  if (unknown !== undefined) throw new TypeError(`"${unknown}" is no argument of it.\n${USAGE}`);
  const clients = await shardClients(loadConfig(undefined, {}, 'migrate'));
  try {
    const found = await findDifferences(clients);
    found.map(toldOf).forEach(print);
    if (args.includes('--repair')) for (const difference of found) await repair(clients, difference);
    const left = args.includes('--repair') ? await findDifferences(clients) : found;
    print(`${found.length} differ, ${found.length - left.length} repaired.`);
    if (left.length > 0) process.exitCode = 1;
  } finally {
    await Promise.all([...clients.values()].map((client) => client.end()));
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`places: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
