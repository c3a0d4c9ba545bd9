/** Operations know the region whose workers run them: regions may share a directory. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Regions1764000032000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'A column that may be null is added, and no statement of it names all columns of the table.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Null: of a release that knew no regions; anyone takes it.
      alter table tenant_operations add column region text;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenant_operations drop column region');
  }
}
