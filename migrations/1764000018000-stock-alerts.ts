/** Thresholds of levels, what tells that one was crossed, and the alerts that come of it (docs/adr/0011-crossings-by-trigger.md). */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { wallIn } from './tenant-table';

export class StockAlerts1764000018000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Tables and columns with defaults are added; a trigger does nothing while no level has a threshold.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- low_stock_threshold: the level is low while available is not above it; null for never. threshold_version: of the
      -- threshold alone, which its tenant changes while orders change the rest. The check is not validated: it would read every
      -- row, and none that is there has a threshold.
      alter table stock_levels
        add column low_stock_threshold bigint,
        add column threshold_version integer not null default 0;
      alter table stock_levels add constraint stock_levels_low_stock_threshold_check
        check (low_stock_threshold between 0 and 1000000000) not valid;

      -- Levels that have crossed their threshold since somebody looked. Written with the level, in orders too: no foreign keys.
      create table stock_crossings (
        organization_id uuid not null,
        product_id uuid not null,
        location_id uuid not null,
        crossed_at timestamptz not null default now(),
        primary key (organization_id, product_id, location_id));
      ${wallIn('stock_crossings', 'select, insert, delete')}

      create table stock_alerts (
        organization_id uuid not null,
        id uuid not null,
        product_id uuid not null,
        location_id uuid not null,
        -- Both as they were when it opened.
        threshold bigint not null,
        available bigint not null,
        -- Of all times that somebody looked while it was open.
        lowest_available bigint not null,
        opened_at timestamptz not null default now(),
        resolved_at timestamptz,
        acknowledged_at timestamptz,
        acknowledged_by_type text,
        acknowledged_by_id uuid,
        version integer not null default 1,
        primary key (organization_id, id),
        foreign key (organization_id, product_id) references products (organization_id, id),
        foreign key (organization_id, location_id) references locations (organization_id, id),
        check ((acknowledged_at is null) = (acknowledged_by_type is null)));
      create unique index stock_alerts_open on stock_alerts (organization_id, product_id, location_id) where resolved_at is null;
      create index stock_alerts_of_level on stock_alerts (organization_id, product_id, location_id, id);
      create index stock_alerts_resolved on stock_alerts (organization_id, resolved_at) where resolved_at is not null;
      ${wallIn('stock_alerts', 'select, insert, update, delete')}
    `);
    await runner.query(`
      -- Sees to it that a job looks at the crossings of a tenant: job row and outbox row, unless one waits already. The lock on
      -- that one keeps it from starting before this transaction has ended; one that cannot be locked may have looked already.
      -- One with a checkpoint was handed back or failed once, and may be past the level: it goes on behind it.
      -- It starts some seconds later, so that what crosses meanwhile needs no job of its own. Its dedupe_key is its id: with
      -- any key it is in the index of open jobs by type, and must not exclude the next one while it runs.
      create function queue_crossing_check(organization uuid) returns uuid language plpgsql
        set search_path = pg_catalog, public, pg_temp as $$
      declare
        job uuid;
        due timestamptz := date_trunc('milliseconds', clock_timestamp()) + interval '5 seconds';
      begin
        perform from public.jobs j where j.organization_id = organization and j.type = 'inventory.low_stock'
          and j.dedupe_key is not null and j.state = 'queued' and j.checkpoint is null limit 1 for share skip locked;
        if found then return null; end if;
        job := public.new_id();
        insert into public.jobs (organization_id, id, type, class, payload, actor_type, dedupe_key, run_at)
          values (organization, job, 'inventory.low_stock', 'normal', '{"version": 1, "data": {}}', 'system', job::text, due);
        insert into public.outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
          values (organization, job, 'job.queued', 'job', job, jsonb_build_object('job_id', job, 'organization_id', organization,
            'type', 'inventory.low_stock', 'version', 1,
            'run_at', to_char(due at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')));
        return job;
      end $$;
      revoke execute on function queue_crossing_check(uuid) from public;
      grant execute on function queue_crossing_check(uuid) to stockyard_app;

      -- A level crosses its threshold. Whoever looks locks the level before the note: so the note is there, or this one comes after.
      create function note_stock_crossing() returns trigger language plpgsql
        set search_path = pg_catalog, public, pg_temp as $$
      begin
        insert into public.stock_crossings (organization_id, product_id, location_id)
          values (new.organization_id, new.product_id, new.location_id) on conflict do nothing;
        perform public.queue_crossing_check(new.organization_id);
        return null;
      end $$;

      -- The conditions are evaluated without a call. AFTER: a trigger BEFORE would lock each row once more. stockyard_mover
      -- writes rows of levels whose crossings, jobs and outbox come with them.
      create trigger crossing_inserted after insert on stock_levels for each row
        when (new.available <= new.low_stock_threshold and current_user <> 'stockyard_mover')
        execute function note_stock_crossing();
      create trigger crossing_updated after update on stock_levels for each row
        when (coalesce(new.available <= new.low_stock_threshold, false) <> coalesce(old.available <= old.low_stock_threshold, false)
          and current_user <> 'stockyard_mover')
        execute function note_stock_crossing();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop trigger crossing_updated on stock_levels;
      drop trigger crossing_inserted on stock_levels;
      drop function note_stock_crossing(), queue_crossing_check(uuid);
      drop table stock_alerts, stock_crossings;
      alter table stock_levels drop column low_stock_threshold, drop column threshold_version`);
  }
}
