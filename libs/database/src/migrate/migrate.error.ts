/** What ends a migration run, in words that say on which shard, what was done until then, and what to do. */
import { StockyardError } from '#libs/kernel';

/** What a call applied on one shard. */
export interface ShardMigrations {
  readonly shard: string;
  /** Names of the migrations that this call applied, in order; empty when the schema was up to date. */
  readonly applied: readonly string[];
}

/** No host of the shard took the connection and accepts writes. `answers` says what each of them said. */
export function shardAway(shard: string, answers: readonly string[]): StockyardError {
  return new StockyardError({
    code: 'shard_away',
    category: 'unavailable',
    message: `no host of it takes writes (${answers.join('; ')})`,
    details: { shard },
  });
}

/** A role lacks something that only a more privileged login may give; `statement` is what that login must run. */
export function roleNotManageable(statement: string, cause: unknown): StockyardError {
  return new StockyardError({
    code: 'role_not_manageable',
    category: 'forbidden',
    message: `the login of this shard's URL may not run "${statement}"; have it run by one that may, once`,
    cause,
  });
}

/** The run ended at `shard`. `done` is what was applied before, that shard's own part included. */
export function migrationFailed(shard: string, done: readonly ShardMigrations[], cause: unknown): StockyardError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const before = done.map((each) => `${each.shard} (${each.applied.join(', ') || 'nothing to apply'})`).join('; ');
  return new StockyardError({
    code: cause instanceof StockyardError ? cause.code : 'migration_failed',
    category: cause instanceof StockyardError ? cause.category : 'internal',
    message: `Shard "${shard}": ${reason}. Done so far: ${before || 'nothing'}. Run it again once that is put right: it continues there.`,
    details: { shard, done },
    cause,
  });
}
