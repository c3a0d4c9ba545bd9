/**
 * Rows of the outbox know the trace that they belong to, whichever statement or function writes them: the gateway sets
 * `app.traceparent` for the transaction where there is a trace to hand on.
 */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OutboxTraceparent1764000029000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'A column that may be null is added, and no statement of it names all columns of the outbox.',
  };

  async up(runner: QueryRunner): Promise<void> {
    // The default apart from the column: no row that is there gets it.
    await runner.query(`
      alter table outbox add column traceparent text;
      alter table outbox alter column traceparent set default nullif(current_setting('app.traceparent', true), '');
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table outbox drop column traceparent');
  }
}
