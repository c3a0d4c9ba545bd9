/** Which timelines each shard's log has come to: a replica that shows a timeline's row has followed its promotion. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Timelines1764000010000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'A table is added; no statement of it changes.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table timelines (
        timeline text primary key check (timeline ~ '^[0-9A-F]{8}$'),
        noticed_at timestamptz not null default now());
      grant select on timelines to stockyard_monitor;
      grant select, insert on timelines to stockyard_control`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table timelines');
  }
}
