/** What a tenant's jobs may take of the workers, and what a single job may say of itself. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class JobQueue1764000012000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Columns with defaults and a function are added; no statement of it names all columns of these tables.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenant_limits
        add column max_running_jobs integer check (max_running_jobs > 0),
        add column max_waiting_jobs integer check (max_waiting_jobs > 0);
      alter table tier_limits
        add column max_running_jobs integer not null default 1,
        add column max_waiting_jobs integer not null default 1;
      update tier_limits t set max_running_jobs = v.running, max_waiting_jobs = v.waiting from (values
        ('free', 2, 1000), ('starter', 4, 10000), ('professional', 8, 50000), ('enterprise', 32, 200000)
      ) v (tier, running, waiting) where v.tier = t.tier;
      alter table tier_limits alter column max_running_jobs drop default, alter column max_waiting_jobs drop default;

      -- 1 is the most urgent. run_at: not before. max_attempts: null is as many as the type says.
      alter table jobs
        add column priority smallint not null default 5 check (priority between 1 and 10),
        add column dedupe_key text check (length(dedupe_key) between 1 and 200),
        add column run_at timestamptz,
        add column max_attempts smallint check (max_attempts between 1 and 100);

      -- Refuses with queue_full (429) what would wait beyond max_waiting_jobs. Jobs that are being made at the same moment do not
      -- see each other: the limit may be passed by as many.
      create function require_job_room(organization uuid, adding integer) returns void language plpgsql stable as $$
      declare
        maximum bigint := tenant_limit(organization, 'max_waiting_jobs');
        waiting bigint;
      begin
        select count(*) into waiting from
          (select from jobs where organization_id = organization and state = 'queued' limit maximum + 1) queued;
        if waiting + adding > maximum then
          perform refuse('queue_full', 'limited',
            format('%s jobs are waiting, and the limit max_waiting_jobs is %s; retry when some are done.', waiting, maximum),
            null, jsonb_build_object('limit', 'max_waiting_jobs', 'maximum', maximum, 'in_use', waiting));
        end if;
      end $$;
      revoke execute on function require_job_room(uuid, integer) from public;
      grant execute on function require_job_room(uuid, integer) to stockyard_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function require_job_room(uuid, integer);
      alter table jobs drop column priority, drop column dedupe_key, drop column run_at, drop column max_attempts;
      alter table tier_limits drop column max_running_jobs, drop column max_waiting_jobs;
      alter table tenant_limits drop column max_running_jobs, drop column max_waiting_jobs`);
  }
}
