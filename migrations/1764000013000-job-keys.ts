/** One open job a key, by an index that makes a second one impossible; and the jobs that wait, by their urgency. */
import { type Compatibility, createIndexConcurrently } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class JobKeys1764000013000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Indexes on columns that it does not write.',
  };

  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await createIndexConcurrently(runner, {
      name: 'jobs_dedupe_key',
      table: 'jobs',
      definition: `(organization_id, type, dedupe_key) where dedupe_key is not null and state in ('queued', 'running')`,
      unique: true,
    });
    await createIndexConcurrently(runner, {
      name: 'jobs_waiting',
      table: 'jobs',
      definition: `(organization_id, class, priority desc, id) where state = 'queued'`,
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index concurrently jobs_waiting');
    await runner.query('drop index concurrently jobs_dedupe_key');
  }
}
