/** Where each tenant lives: buckets, pins, and on every shard the places that let a statement in or not. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Places1764000006000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Columns, tables and functions are added; no statement of it changes.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The directory's: which shard a bucket's organizations live on, and pins of single organizations.
      create table shard_buckets (
        bucket integer primary key check (bucket between 0 and 1023),
        shard text not null check (shard ~ '^[a-z][a-z0-9_-]{0,30}$'));
      insert into shard_buckets select bucket, 'main' from generate_series(0, 1023) bucket;
      grant select, update on shard_buckets to stockyard_control;
      alter table organizations add column shard text check (shard ~ '^[a-z][a-z0-9_-]{0,30}$');
      grant delete on organizations to stockyard_control;

      -- This shard's: one row for each tenant that lives, lived or is about to live here (docs/data-plane.md). No tenant
      -- table: it is read before a tenant is set, by the two functions below alone.
      create table tenant_places (
        tenant uuid primary key,
        epoch integer not null,
        state text not null check (state in ('open', 'suspended', 'fenced', 'arriving', 'moved', 'deleting')),
        tier text not null check (tier in ('free', 'starter', 'professional', 'enterprise')),
        updated_at timestamptz not null default now());
      insert into tenant_places (tenant, epoch, state, tier)
        select id, epoch, case state when 'suspended' then 'suspended' else 'open' end, tier from organizations;
      grant select, insert, update, delete on tenant_places to stockyard_control;

      -- Overrides of limits stand in the directory and, mirrored, on the shard where the tenant lives.
      alter table tenant_limits drop constraint tenant_limits_organization_id_fkey;
    `);
    await runner.query(`
      -- What ends a flight before its statements run. The application reads state and epoch from DETAIL.
      create function refuse_entry(state text, epoch integer) returns void language plpgsql
        set search_path = pg_catalog, pg_temp as $$
      begin
        raise exception using errcode = 'SY003', message = 'The tenant cannot be entered here.',
          detail = jsonb_build_object('state', state, 'epoch', epoch)::text;
      end $$;

      -- The way in for writes. The advisory lock comes first: the look at the place that follows has a younger snapshot, so
      -- whoever fences (changes the place, commits, then takes the lock exclusively) either waits for this transaction or
      -- is seen by it. Not waiting: a fence that has begun is a refusal, and the caller comes back.
      -- Operators write to suspended organizations too (suspended_too): keys, users and the audit log.
      -- No SET clause, or the tenant would be unset again at the end of the function: all names are qualified instead, those
      -- of types too, since a session's own (pg_temp) would come first and their checks would run as the owner.
      create function enter_write(wanted uuid, wanted_epoch integer, suspended_too boolean default false) returns void
      language plpgsql security definer as $$
      declare
        ignored pg_catalog.text; place_epoch pg_catalog.int4; place_state pg_catalog.text;
      begin
        if not pg_catalog.pg_try_advisory_xact_lock_shared(7203114, pg_catalog.uuid_hash(wanted)) then
          perform public.refuse_entry('fenced', null);
        end if;
        select p.epoch, p.state into place_epoch, place_state from public.tenant_places p where p.tenant = wanted;
        if place_epoch is distinct from wanted_epoch
          or not (place_state = 'open' or (suspended_too and place_state = 'suspended'))
        then
          perform public.refuse_entry(place_state, place_epoch);
        end if;
        ignored := pg_catalog.set_config('app.tenant_id', wanted::pg_catalog.text, true);
      end $$;

      -- The way in for reads of a process whose knowledge of the directory may be old.
      create function enter_read(wanted uuid) returns void language plpgsql security definer as $$
      declare
        ignored pg_catalog.text; place_epoch pg_catalog.int4; place_state pg_catalog.text;
      begin
        ignored := pg_catalog.set_config('transaction_read_only', 'on', true);
        select p.epoch, p.state into place_epoch, place_state from public.tenant_places p where p.tenant = wanted;
        if place_state is null or place_state not in ('open', 'suspended', 'fenced') then
          perform public.refuse_entry(place_state, place_epoch);
        end if;
        ignored := pg_catalog.set_config('app.tenant_id', wanted::pg_catalog.text, true);
      end $$;

      -- On a replica, before the statements of a read: has it replayed what the caller has seen? DETAIL says how far it is.
      create function require_replayed(wanted pg_lsn) returns void language plpgsql as $$
      declare
        replayed pg_lsn := pg_last_wal_replay_lsn();
      begin
        if replayed is null or replayed < wanted then
          raise exception using errcode = 'SY004', message = 'This replica has not replayed what the caller has seen.',
            detail = replayed::text;
        end if;
      end $$;

      -- How a fence waits for the writers that are under way: with the lock it holds, none is left. Until the transaction ends.
      create function drain_writers(wanted uuid) returns void language sql volatile
        return pg_advisory_xact_lock(7203114, uuid_hash(wanted));
    `);
    await runner.query(`
      revoke execute on function enter_write(uuid, integer, boolean), enter_read(uuid), drain_writers(uuid) from public;
      grant execute on function enter_write(uuid, integer, boolean), enter_read(uuid) to stockyard_app, stockyard_mover;
      grant execute on function drain_writers(uuid) to stockyard_control, stockyard_mover;
      grant usage on schema public to stockyard_mover;
      do $$
      declare walled regclass;
      begin
        for walled in select c.oid::regclass from pg_class c join pg_attribute a on a.attrelid = c.oid
          where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
            and a.attname = 'organization_id' and not a.attisdropped
        loop
          execute format('grant select, insert, update, delete on %s to stockyard_mover', walled);
        end loop;
      end $$;
      grant select, insert, update on tenant_places to stockyard_mover;
      grant select (tenant, state) on tenant_places to stockyard_relay;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function enter_write(uuid, integer, boolean), enter_read(uuid), refuse_entry(text, integer), require_replayed(pg_lsn),
        drain_writers(uuid);
      drop table tenant_places, shard_buckets;
      alter table organizations drop column shard;
      alter table tenant_limits add foreign key (organization_id) references organizations (id)`);
  }
}
