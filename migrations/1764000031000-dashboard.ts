/** What the dashboard shows of all tenants together, and when which release was first seen. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ACTIVITY_SUMS, NO_ACTIVITY_SUMS } from './dashboard/sums';

export class Dashboard1764000031000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Functions, policies of the owner and a table are added; nothing that it uses changes.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(ACTIVITY_SUMS);
    await runner.query(`
      -- The directory's: each release of each process, since its first process started.
      create table deploys (
        version text not null check (length(version) between 1 and 100),
        process text not null check (process in ('api', 'worker', 'metrics')),
        first_seen_at timestamptz not null default now(),
        primary key (version, process));
      grant select, insert on deploys to stockyard_control;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(NO_ACTIVITY_SUMS);
    await runner.query('drop table deploys');
  }
}
