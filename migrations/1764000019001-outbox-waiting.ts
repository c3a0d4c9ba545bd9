/** The relay's index: what waits, in the order of its numbers. */
import { type Compatibility, createIndexConcurrently } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OutboxWaiting1764000019001 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'An index replaces another one; the previous release sorts what waits, until it is gone.',
  };
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await createIndexConcurrently(runner, {
      name: 'outbox_waiting_in_order',
      table: 'outbox',
      definition: '(seq, id) where published_at is null',
    });
    await runner.query('drop index if exists outbox_waiting');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('create index if not exists outbox_waiting on outbox (id) where published_at is null');
    await runner.query('drop index if exists outbox_waiting_in_order');
  }
}
