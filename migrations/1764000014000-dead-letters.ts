/** Dead letters: jobs that have failed for good, kept for whoever is to look at them, until they are replayed or discarded. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { wallIn } from './tenant-table';

export class DeadLetters1764000014000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'A table is added; jobs that the previous release fails leave no letter, and stay as they are.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- One a job, written by the statement that fails it; it goes with its job. Replayed, the same job is queued again.
      create table dead_letters (
        organization_id uuid not null,
        id uuid not null,
        job_id uuid not null,
        type text not null,
        class text not null check (class in ('critical', 'high', 'normal', 'low', 'bulk')),
        payload jsonb not null,
        error jsonb not null,
        attempts integer not null,
        failed_at timestamptz not null,
        primary key (organization_id, id),
        unique (organization_id, job_id),
        foreign key (organization_id, job_id) references jobs (organization_id, id) on delete cascade);
      create index dead_letters_by_type on dead_letters (organization_id, type, id);
      create index dead_letters_by_age on dead_letters (class, failed_at);
      ${wallIn('dead_letters', 'select, insert, update, delete')}

      -- Operators see how many there are and of whom, and nothing of what is in them.
      create policy totals on dead_letters for select to stockyard_owner using (true);

      create function dead_letter_totals(out class text, out letters bigint, out oldest timestamptz) returns setof record
        language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
        select d.class, count(*), min(d.failed_at) from public.dead_letters d group by d.class
      $$;

      -- Who has any, the oldest first.
      create function dead_letter_holders(most integer, out organization_id uuid, out type text, out letters bigint,
        out oldest timestamptz) returns setof record
        language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
        select d.organization_id, d.type, count(*), min(d.failed_at) from public.dead_letters d
        group by d.organization_id, d.type order by min(d.failed_at), d.organization_id, d.type limit most
      $$;

      revoke execute on function dead_letter_totals(), dead_letter_holders(integer) from public;
      grant execute on function dead_letter_totals() to stockyard_monitor;
      grant execute on function dead_letter_holders(integer) to stockyard_control;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function dead_letter_holders(integer), dead_letter_totals();
      drop table dead_letters`);
  }
}
