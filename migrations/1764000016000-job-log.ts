/** What jobs say of themselves while they run, line by line; and which round a job is in: it may be queued again. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { wallIn } from './tenant-table';

export class JobLog1764000016000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'A table and columns with defaults are added; no statement of it names all columns of jobs.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- log_lines: number of the newest line of its log. round: how often it was queued again after its end.
      alter table jobs
        add column log_lines bigint not null default 0,
        add column round smallint not null default 0 check (round >= 0);

      create table job_log (
        organization_id uuid not null,
        job_id uuid not null,
        line bigint not null,
        at timestamptz not null default now(),
        level text not null check (level in ('info', 'warn', 'error')),
        message text not null check (length(message) <= 2000),
        primary key (organization_id, job_id, line),
        foreign key (organization_id, job_id) references jobs (organization_id, id) on delete cascade);
      ${wallIn('job_log', 'select, insert, delete')}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table job_log; alter table jobs drop column log_lines, drop column round');
  }
}
