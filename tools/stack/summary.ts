// What the person at the terminal reads when everything runs.
import { redisServers } from '#libs/config';
import { withoutLogin } from './database-url';
import type { StackShard } from './shard-cluster';
import { applicationUrl, type StackDescription } from './stack-file';
import type { StateDirectory } from './state-directory';

/** A short table of what runs where, and a command that works as pasted. */
export function summary({ ports, servers, organizations }: StackDescription, state: StateDirectory): string {
  const rows: [string, string][] = [
    ['api', applicationUrl(ports.api)],
    ['worker', applicationUrl(ports.worker)],
    ['metrics', applicationUrl(ports.metrics)],
    ...servers.shards.flatMap((shard) => shardRows(shard, servers.shards.length > 1)),
    ...redisServers(servers.redisUrl).urls.map(redisRow),
  ];
  const first = organizations[0];
  const command =
    first === undefined
      ? []
      : [
          '',
          `As ${first.slug}:`,
          '',
          `  curl -s -H 'Authorization: Bearer ${first.api_key}' ${applicationUrl(ports.api)}/v1/products`,
        ];
  return [
    '',
    'Stockyard runs:',
    '',
    ...rows.map(([name, where]) => `  ${name.padEnd(9)} ${where}`),
    '',
    `  ${'keys'.padEnd(9)} ${state.shown('stack.json')} (${organizations.map(({ slug }) => slug).join(', ')}, operator)`,
    `  ${'logs'.padEnd(9)} ${state.shown('logs')}`,
    ...command,
    '',
    'Ctrl-C stops everything; the data stays.',
    '',
  ].join('\n');
}

function redisRow(url: string): [string, string] {
  const { protocol, host, pathname } = new URL(url);
  return ['redis', `${protocol}//${host}${pathname}`];
}

function shardRows({ name, databaseUrl, replicaUrls }: StackShard, isOneOfSeveral: boolean): [string, string][] {
  const suffix = isOneOfSeveral ? ` (shard ${name})` : '';
  return [
    ['postgres', `${withoutLogin(databaseUrl)}${suffix}`],
    ...replicaUrls.map((url): [string, string] => ['replica', `${withoutLogin(url)}${suffix}`]),
  ];
}
