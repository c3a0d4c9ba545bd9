/** Minutes and hours of all that tenants did are found by their time, as days are: sums over all tenants read no routes. */
import { type Compatibility, createIndexConcurrently } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['tenant_minutes', 'tenant_hours'];
const nameOf = (table: string) => `${table}_of_all`;

export class ActivityOfAll1764000031001 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Indexes are added.',
  };
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      await createIndexConcurrently(runner, {
        name: nameOf(table),
        table,
        definition: "(period_start) where activity = ''",
      });
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`drop index if exists ${nameOf(table)}`);
  }
}
