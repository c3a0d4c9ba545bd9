/** Functions that the statements of the platform rely on, the control tables, and partition upkeep. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { wallIn } from './tenant-table';

export class Foundation1764000000000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Part of the first release: there is none before it.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      grant usage on schema public to stockyard_app, stockyard_relay, stockyard_control, stockyard_monitor;

      create function current_tenant() returns uuid language sql stable parallel safe
        return nullif((select current_setting('app.tenant_id', true)), '')::uuid;

      -- A UUIDv7 (RFC 9562, 5.7) for rows that a statement makes by itself: random bytes with the milliseconds in front,
      -- and the version's two missing bits. PostgreSQL has uuidv7() from 18 on only.
      create function new_id() returns uuid language sql volatile parallel safe
        return encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
          placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid;

      -- Refuses by a rule: ends the transaction; the application turns SY001 into a problem document.
      create function refuse(code text, category text, message text, param text default null, details jsonb default null)
      returns void language plpgsql as $$
      begin
        raise exception using errcode = 'SY001', message = message,
          detail = jsonb_build_object('code', code, 'category', category, 'param', param, 'details', details)::text;
      end $$;

      -- The same hash as libs/tenancy/src/shard-key.ts.
      create function calculate_shard_key(organization uuid) returns integer language sql immutable parallel safe strict
        return (('x' || left(md5(organization::text), 8))::bit(32)::bigint % 1024)::integer;

      create table organizations (
        id uuid primary key,
        slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{1,62}$'),
        name text not null check (length(name) between 1 and 200),
        tier text not null check (tier in ('free', 'starter', 'professional', 'enterprise')),
        region text not null default 'default',
        state text not null default 'active' check (state in ('active', 'suspended', 'moving', 'deleting')),
        epoch integer not null default 1,
        shard_key integer not null generated always as (calculate_shard_key(id)) stored check (shard_key between 0 and 1023),
        version integer not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now());
      alter table organizations enable row level security;
      alter table organizations force row level security;
      create policy own on organizations for select to stockyard_app using (id = current_tenant());
      create policy control on organizations to stockyard_control using (true) with check (true);
      grant select on organizations to stockyard_app;
      grant select, insert, update on organizations to stockyard_control;

      create table tenant_limits (
        organization_id uuid primary key references organizations (id),
        max_connections integer check (max_connections > 0),
        api_calls_per_hour integer check (api_calls_per_hour > 0),
        max_users integer check (max_users > 0),
        max_storage_bytes bigint check (max_storage_bytes > 0),
        requests_per_minute integer check (requests_per_minute > 0),
        auth_attempts_per_15_minutes integer check (auth_attempts_per_15_minutes > 0),
        exports_per_hour integer check (exports_per_hour > 0),
        bulk_per_hour integer check (bulk_per_hour > 0),
        scheduling_weight integer check (scheduling_weight between 1 and 1000),
        updated_at timestamptz not null default now());
      ${wallIn('tenant_limits', 'select')}
      create policy control on tenant_limits to stockyard_control using (true) with check (true);
      grant select, insert, update, delete on tenant_limits to stockyard_control;
    `);
    await runner.query(`
      -- Makes one month's partition of a parent, walled in and without grants. Parents are ranged by a UUIDv7 id, whose
      -- first 48 bits are milliseconds, or by a timestamptz; the bounds of the month follow from the type of the key.
      create function make_month_partition(parent regclass, month date) returns void language plpgsql as $$
      declare
        partition text := format('%s_%s', parent::text, to_char(month, 'YYYYMM'));
        key_type text := (select format_type(a.atttypid, null) from pg_partitioned_table p
          join pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0] where p.partrelid = parent);
        lower_bound text; upper_bound text;
      begin
        if to_regclass(partition) is not null then return; end if;
        if key_type = 'uuid' then
          lower_bound := month_uuid(month); upper_bound := month_uuid((month + interval '1 month')::date);
        else
          lower_bound := month::text || ' 00:00:00+00'; upper_bound := (month + interval '1 month')::date::text || ' 00:00:00+00';
        end if;
        execute format('create table %I partition of %s for values from (%L) to (%L)', partition, parent, lower_bound, upper_bound);
        execute format('alter table %I enable row level security', partition);
        execute format('alter table %I force row level security', partition);
        execute format('create policy tenant on %I using (organization_id = nullif((select current_setting(''app.tenant_id'', true)), '''')::uuid)
          with check (organization_id = nullif((select current_setting(''app.tenant_id'', true)), '''')::uuid)', partition);
      end $$;

      -- The least UUIDv7 of a month's first millisecond in UTC.
      create function month_uuid(month date) returns text language sql immutable
        return regexp_replace(lpad(to_hex((extract(epoch from month::timestamp) * 1000)::bigint), 12, '0'), '^(.{8})(.{4})$', '\\1-\\2')
          || '-0000-0000-000000000000';

      -- Called by the worker each day, and by migrations: the previous, this and the coming months of every partitioned table.
      create function maintain_partitions(months_ahead integer) returns integer language plpgsql security definer
        set search_path = public, pg_temp as $$
      declare
        parent regclass; made integer := 0; month date;
      begin
        for parent in select partrelid::regclass from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
          where c.relnamespace = 'public'::regnamespace order by c.relname
        loop
          for month in select generate_series(date_trunc('month', now() at time zone 'UTC') - interval '1 month',
            date_trunc('month', now() at time zone 'UTC') + make_interval(months => months_ahead), interval '1 month')::date
          loop
            if to_regclass(format('%s_%s', parent::text, to_char(month, 'YYYYMM'))) is null then
              perform make_month_partition(parent, month);
              made := made + 1;
            end if;
          end loop;
        end loop;
        return made;
      end $$;
      revoke execute on function maintain_partitions(integer), make_month_partition(regclass, date) from public;
      grant execute on function maintain_partitions(integer) to stockyard_relay;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop table tenant_limits, organizations;
      drop function maintain_partitions(integer), make_month_partition(regclass, date), month_uuid(date),
        calculate_shard_key(uuid), new_id(), refuse(text, text, text, text, jsonb), current_tenant()`);
  }
}
