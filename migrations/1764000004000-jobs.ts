/** Outbox, inbox, jobs and what they report. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { wallIn } from './tenant-table';

export class Jobs1764000004000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Part of the first release: there is none before it.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table outbox (
        organization_id uuid not null,
        id uuid not null,
        topic text not null check (length(topic) between 1 and 100),
        aggregate_type text not null,
        aggregate_id uuid not null,
        payload jsonb not null,
        created_at timestamptz not null default now(),
        published_at timestamptz,
        primary key (organization_id, id)) partition by range (id);
      create index outbox_waiting on outbox (id) where published_at is null;
      ${wallIn('outbox', 'select, insert')}
      create policy relay_reads on outbox for select to stockyard_relay using (true);
      create policy relay_marks on outbox for update to stockyard_relay using (true) with check (true);
      grant select, update (published_at) on outbox to stockyard_relay;

      create table inbox (
        organization_id uuid not null,
        consumer text not null,
        message_id uuid not null,
        processed_at timestamptz not null default now(),
        primary key (organization_id, consumer, message_id));
      create index on inbox (organization_id, processed_at);
      ${wallIn('inbox', 'select, insert, delete')}

      create table jobs (
        organization_id uuid not null,
        id uuid not null,
        type text not null,
        class text not null check (class in ('critical', 'high', 'normal', 'low', 'bulk')),
        state text not null default 'queued' check (state in ('queued', 'running', 'completed', 'failed', 'cancelled')),
        payload jsonb not null,
        processed bigint not null default 0,
        failed bigint not null default 0,
        total bigint,
        checkpoint jsonb,
        result jsonb,
        error jsonb,
        attempts integer not null default 0,
        actor_type text not null,
        actor_id uuid,
        created_at timestamptz not null default now(),
        started_at timestamptz,
        finished_at timestamptz,
        primary key (organization_id, id));
      create index on jobs (organization_id, state, id);
      ${wallIn('jobs', 'select, insert, update, delete')}

      create table job_line_errors (
        organization_id uuid not null,
        job_id uuid not null,
        line bigint not null,
        code text not null,
        field text,
        message text not null,
        primary key (organization_id, job_id, line),
        foreign key (organization_id, job_id) references jobs (organization_id, id) on delete cascade);
      ${wallIn('job_line_errors', 'select, insert, delete')}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table job_line_errors, jobs, inbox, outbox');
  }
}
