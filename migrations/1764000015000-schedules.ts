/** Schedules of tenants, what the workers see of those that are due, and how many an organization may have. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { wallIn } from './tenant-table';

export class Schedules1764000015000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'A table and columns with defaults are added; no statement of it names all columns of the limits.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table schedules (
        organization_id uuid not null,
        id uuid not null,
        name text not null check (length(name) between 1 and 100),
        cron text not null check (length(cron) between 9 and 200),
        time_zone text not null check (length(time_zone) between 1 and 64),
        job_type text not null check (length(job_type) between 1 and 100),
        -- { version, data }, as in jobs.
        payload jsonb not null,
        state text not null default 'active' check (state in ('active', 'paused')),
        -- Why the platform paused it; null where its tenant did.
        paused_reason text,
        -- The tick that is due next. Milliseconds, as the workers compare it.
        next_run_at timestamptz(3),
        last_run_at timestamptz,
        last_job_id uuid,
        -- The last tick that was passed over, and why.
        last_skipped_at timestamptz,
        last_skip_reason text,
        -- Of what its tenant changes; a run leaves it alone.
        version integer not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (organization_id, id),
        unique (organization_id, name),
        check ((state = 'active') = (next_run_at is not null)),
        check (state = 'paused' or paused_reason is null));
      create index schedules_due on schedules (next_run_at) where next_run_at is not null;
      ${wallIn('schedules', 'select, insert, update, delete')}
      -- Whose schedule is due since when, and nothing else: what it does is read as its tenant.
      create policy relay_looks on schedules for select to stockyard_relay using (next_run_at <= now());
      grant select (organization_id, id, next_run_at) on schedules to stockyard_relay;

      alter table tenant_limits add column max_schedules integer check (max_schedules > 0);
      alter table tier_limits add column max_schedules integer not null default 1;
      update tier_limits t set max_schedules = v.schedules from (values
        ('free', 5), ('starter', 25), ('professional', 100), ('enterprise', 1000)
      ) v (tier, schedules) where v.tier = t.tier;
      alter table tier_limits alter column max_schedules drop default;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tier_limits drop column max_schedules;
      alter table tenant_limits drop column max_schedules;
      drop table schedules`);
  }
}
