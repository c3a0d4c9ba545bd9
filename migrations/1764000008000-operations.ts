/**
 * Operations: the long things that operators do to a tenant, with what a worker needs to go on with them after another
 * one died; and what stockyard_mover needs to restore and to remove a tenant.
 */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Operations1764000008000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'A table and a function are added; no statement of the previous release changes.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- In use on the home shard. No tenant table: it outlives its tenant, as the proof that nothing of it is left.
      create table tenant_operations (
        id uuid primary key,
        tenant uuid not null,
        kind text not null check (kind in ('export', 'import', 'delete', 'move')),
        state text not null default 'queued' check (state in ('queued', 'running', 'completed', 'failed', 'rolled_back')),
        -- The step that runs or runs next, committed before it begins; null until a worker took it.
        step text,
        parameters jsonb not null,
        -- What the steps hand on to one another.
        memory jsonb not null default '{}',
        -- Figures for whoever waits.
        progress jsonb not null default '{}',
        result jsonb,
        error jsonb,
        -- Undoing has begun or is asked for; committed before it begins.
        rolling_back boolean not null default false,
        -- Whether the step, and what was before it, can still be undone.
        undoable boolean not null default true,
        -- Failures of the step since it last went well.
        failures integer not null default 0,
        -- The worker that has it, until the lease ends; nobody takes it before lease_until.
        runner uuid,
        lease_until timestamptz,
        request_id text not null,
        created_at timestamptz not null default now(),
        started_at timestamptz,
        updated_at timestamptz not null default now(),
        finished_at timestamptz);
      create unique index tenant_operations_one_open on tenant_operations (tenant) where state in ('queued', 'running');
      create index tenant_operations_open on tenant_operations (created_at) where state in ('queued', 'running');
      create index on tenant_operations (tenant, id);
      grant select, insert, update on tenant_operations to stockyard_control;

      -- A restored tenant brings rows of months that this shard has no partitions for.
      create function ensure_month(parent regclass, month date) returns void language plpgsql security definer
        set search_path = public, pg_temp set lock_timeout = '5s' as $$
      begin
        if not exists (select from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
          where p.partrelid = parent and c.relnamespace = 'public'::regnamespace) then
          raise exception '% is not partitioned by month', parent;
        end if;
        perform make_month_partition(parent, date_trunc('month', month)::date);
      end $$;
      revoke execute on function ensure_month(regclass, date) from public;
      grant execute on function ensure_month(regclass, date) to stockyard_mover;

      -- An archive says which schema it was made under.
      grant select on schema_migrations to stockyard_mover;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      revoke select on schema_migrations from stockyard_mover;
      drop function ensure_month(regclass, date);
      drop table tenant_operations`);
  }
}
