// What `npm run migrate` prints: a line for each step, and one for each shard at the end.
import type { MigrateProgress, ShardMigrations, ShardSchema } from '#libs/database';

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;

export function progressLine(progress: MigrateProgress): string {
  return `${progress.shard}: ${words(progress)}`;
}

function words(progress: MigrateProgress): string {
  switch (progress.step) {
    case 'waiting':
      return 'another migrator is at work; waiting for it to end';
    case 'roles':
    case 'database':
      return progress.step;
    case 'migrating':
      return `${progress.migration} …`;
    case 'migrated':
      return `${progress.migration} applied (${seconds(progress.ms)})`;
    case 'blocked':
      return `${progress.migration} met a lock and was rolled back (try ${progress.attempt} of ${progress.lockTries}); again in ${seconds(progress.pauseMs)}`;
  }
}

export function summaryLine({ shard, applied }: ShardMigrations): string {
  return `${shard}: ${applied.length === 0 ? 'up to date' : `${applied.length} applied`}`;
}

export function schemaLines({ shard, violations, away }: ShardSchema): string[] {
  if (away !== undefined) return [`${shard}: ${away}`];
  if (violations.length === 0) return [`${shard}: up to date`];
  return violations.map(({ migration, problem }) => `${shard}: ${migration} ${problem}`);
}
