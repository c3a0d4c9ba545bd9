/**
 * Whether a release and a schema go together, from the ledger. Used by the guard at boot, by the migrator and by
 * `npm run migrate -- --check`.
 */
import { StockyardError } from '#libs/kernel';
import type { Queryable } from '../wall/wall-check';
import { readLedger } from './ledger';
import type { MigrationClass } from './migration';

export interface SchemaViolation {
  /** `schema_too_old`: a migration of this release is not applied. `schema_too_new`: this release cannot run on what is. */
  readonly code: 'schema_too_old' | 'schema_too_new';
  /** Name of the migration at fault. */
  readonly migration: string;
  readonly problem: string;
}

/** Everything that keeps a release with these migrations from running on a database; empty when it may. */
export async function checkSchema(
  database: Queryable,
  migrations: readonly Pick<MigrationClass, 'name'>[],
): Promise<SchemaViolation[]> {
  const ledger = await readLedger(database);
  const known = new Set(migrations.map(({ name }) => name));
  const applied = new Set(ledger.map(({ name }) => name));
  const tooNew = ledger
    .filter(({ needs }) => needs !== null && !known.has(needs))
    .map(({ name, needs }): SchemaViolation => {
      const problem = name === needs ? 'breaks releases without it' : `breaks releases without ${needs}`;
      return { code: 'schema_too_new', migration: name, problem };
    });
  const tooOld = migrations
    .filter(({ name }) => !applied.has(name))
    .map(({ name }): SchemaViolation => ({ code: 'schema_too_old', migration: name, problem: 'is not applied' }));
  return [...tooNew, ...tooOld];
}

/** The refusal that stands for violations, of which there must be one. A schema that is too new outweighs the rest. */
export function schemaRefused(shard: string, violations: readonly SchemaViolation[]): StockyardError {
  const tooNew = violations.filter(({ code }) => code === 'schema_too_new');
  const listed = (tooNew.length > 0 ? tooNew : violations).map((each) => `  - ${each.migration} ${each.problem}`);
  return tooNew.length > 0
    ? new StockyardError({
        code: 'schema_too_new',
        category: 'internal',
        message: `The schema of shard "${shard}" is newer than this release can run on; deploy a release that knows it:\n${listed.join('\n')}`,
      })
    : new StockyardError({
        code: 'schema_too_old',
        category: 'internal',
        message: `The schema of shard "${shard}" is older than this release; run \`npm run migrate\`:\n${listed.join('\n')}`,
      });
}

/** Throws `schema_too_new` or `schema_too_old` when a release with these migrations may not run on a database. */
export async function requireSchema(
  shard: string,
  database: Queryable,
  migrations: readonly Pick<MigrationClass, 'name'>[],
): Promise<void> {
  const violations = await checkSchema(database, migrations);
  if (violations.length > 0) throw schemaRefused(shard, violations);
}
