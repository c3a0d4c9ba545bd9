/** Partitions of a table that is kept by the day beside those by the month: made, counted and dropped by the same upkeep. */
import { MONTH_FUNCTIONS } from '../usage-and-limits/partitions';

export const DAY_FUNCTIONS = `
  -- What one partition of a parent holds.
  create function partition_unit(parent regclass) returns text language sql stable as $$
    select case when parent = to_regclass('public.tenant_minutes') then 'day' else 'month' end
  $$;

  -- The name of the partition that holds a day.
  create function partition_name(parent regclass, day date) returns text language sql stable as $$
    select format('%s_%s', parent::text, to_char(day, case public.partition_unit(parent) when 'day' then 'YYYYMMDD' else 'YYYYMM' end))
  $$;

  -- Makes the partition of a parent that holds a day, walled in and without grants. It is built beside its parent and then attached:
  -- ATTACH lets statements on the parent go on, where CREATE TABLE … PARTITION OF waits for all of them and holds up the next.
  create function make_partition(parent regclass, day date) returns void language plpgsql as $$
  declare
    unit text := partition_unit(parent);
    partition text := partition_name(parent, day);
    key_type text := (select format_type(a.atttypid, null) from pg_partitioned_table p
      join pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0] where p.partrelid = parent);
    first_day date := date_trunc(unit, day::timestamp)::date;
    next_first date := (first_day + ('1 ' || unit)::interval)::date;
    lower_bound text; upper_bound text;
  begin
    if to_regclass(partition) is not null then return; end if;
    if key_type = 'uuid' then
      lower_bound := month_uuid(first_day); upper_bound := month_uuid(next_first);
    else
      lower_bound := first_day::text || ' 00:00:00+00'; upper_bound := next_first::text || ' 00:00:00+00';
    end if;
    execute format('create table %I (like %s including defaults including generated including constraints)', partition, parent);
    execute format('alter table %I enable row level security', partition);
    execute format('alter table %I force row level security', partition);
    execute format('create policy tenant on %I using (organization_id = nullif((select current_setting(''app.tenant_id'', true)), '''')::uuid)
      with check (organization_id = nullif((select current_setting(''app.tenant_id'', true)), '''')::uuid)', partition);
    execute format('alter table %s attach partition %I for values from (%L) to (%L)', parent, partition, lower_bound, upper_bound);
  end $$;

  create or replace function make_month_partition(parent regclass, month date) returns void language sql as
    'select make_partition(parent, month)';

  -- Of every partitioned table the months before, of and after 'today', or the days from yesterday on for a week.
  create or replace function maintain_partitions(months_ahead integer, today timestamptz) returns integer language plpgsql as $$
  declare
    parent regclass; made integer := 0; day date; unit text; this_one timestamp; ahead interval;
  begin
    for parent in select partrelid::regclass from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
      where c.relnamespace = 'public'::regnamespace order by c.relname
    loop
      unit := partition_unit(parent);
      this_one := date_trunc(unit, today at time zone 'UTC');
      ahead := case unit when 'day' then interval '7 days' else make_interval(months => months_ahead) end;
      for day in select generate_series(this_one - ('1 ' || unit)::interval, this_one + ahead, ('1 ' || unit)::interval)::date loop
        if to_regclass(partition_name(parent, day)) is null then
          perform make_partition(parent, day);
          made := made + 1;
        end if;
      end loop;
    end loop;
    return made;
  end $$;

  -- Detaches and drops the oldest partition of a parent that ended at least 'kept' before 'today'; answers its name, or null
  -- when there is none. A month of the outbox with a row that was not published stays. The parent is locked for a moment.
  create or replace function retire_partition(parent regclass, kept interval, today timestamptz) returns text language plpgsql as $$
  declare
    partition text; first_day date; next_first date; served boolean;
  begin
    for partition, first_day in select relname, to_date(rpad(suffix, 8, '01'), 'YYYYMMDD') from pg_inherits i
      join pg_class c on c.oid = i.inhrelid
      cross join lateral (select substring(c.relname from '_([0-9]{6}|[0-9]{8})$') as suffix) named
      where i.inhparent = parent and suffix is not null order by suffix
    loop
      next_first := (first_day + ('1 ' || partition_unit(parent))::interval)::date;
      if next_first::timestamp at time zone 'UTC' > today - kept then return null; end if;
      served := parent <> 'outbox'::regclass;
      if not served then
        execute 'lock table only outbox in access exclusive mode';
        served := not exists (select from outbox where published_at is null
          and id >= month_uuid(first_day)::uuid and id < month_uuid(next_first)::uuid);
      end if;
      if served then
        execute format('alter table %s detach partition %I', parent, partition);
        execute format('drop table %I', partition);
        return partition;
      end if;
    end loop;
    return null;
  end $$;

  -- Called by the worker until it answers null. Whoever calls it cannot drop young partitions, nor those of other tables: stock
  -- movements are kept for ever, since a level is the sum of its movements.
  create or replace function retire_partition(parent text, kept interval) returns text language plpgsql security definer
    set search_path = public, pg_temp set lock_timeout = '500ms' as $$
  declare
    shortest interval := case parent when 'outbox' then interval '1 day' when 'tenant_minutes' then interval '1 day'
      when 'tenant_usage' then interval '1 month' when 'tenant_hours' then interval '1 month' when 'audit_log' then interval '1 month' end;
  begin
    if shortest is null then
      raise exception using errcode = '42501', message = format('Months of %s are kept for ever.', parent);
    end if;
    if kept is null or kept < shortest then
      raise exception using errcode = '22023', message = format('Partitions of %s are kept for %s at least.', parent, shortest);
    end if;
    return retire_partition(parent::regclass, kept, now());
  end $$;

  -- For each table that is partitioned by month how many months after that of 'today' have a partition, up to the first one that
  -- has none; -1 when this month has none itself. Reads the catalog alone.
  create or replace function partition_headroom(today timestamptz default now(), out parent text, out months integer) returns setof record
    language sql stable set search_path = public, pg_temp as $$
    select c.relname::text, (select min(n) from generate_series(0, 120) n where to_regclass(partition_name(c.oid,
      (date_trunc('month', today at time zone 'UTC') + make_interval(months => n))::date)) is null) - 1
    from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
    where c.relnamespace = 'public'::regnamespace and partition_unit(c.oid) = 'month' order by c.relname
  $$;

  -- The same for tables that are partitioned by day, in days.
  create function partition_headroom_days(today timestamptz default now(), out parent text, out days integer) returns setof record
    language sql stable set search_path = public, pg_temp as $$
    select c.relname::text, (select min(n) from generate_series(0, 120) n where to_regclass(partition_name(c.oid,
      (today at time zone 'UTC')::date + n)) is null) - 1
    from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
    where c.relnamespace = 'public'::regnamespace and partition_unit(c.oid) = 'day' order by c.relname
  $$;

  -- A restored or moved tenant brings rows of months, or days, that this shard has no partitions for.
  create or replace function ensure_month(parent regclass, month date) returns void language plpgsql security definer
    set search_path = public, pg_temp set lock_timeout = '5s' as $$
  begin
    if not exists (select from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
      where p.partrelid = parent and c.relnamespace = 'public'::regnamespace) then
      raise exception '% is not partitioned', parent;
    end if;
    perform make_partition(parent, month);
  end $$;

  revoke execute on function make_partition(regclass, date), partition_headroom_days(timestamptz) from public;
  grant execute on function partition_headroom_days(timestamptz) to stockyard_relay, stockyard_monitor;`;

/** As they were before. */
export const MONTH_FUNCTIONS_AGAIN = `
  drop function partition_headroom_days(timestamptz);
  ${MONTH_FUNCTIONS}
  create or replace function ensure_month(parent regclass, month date) returns void language plpgsql security definer
    set search_path = public, pg_temp set lock_timeout = '5s' as $$
  begin
    if not exists (select from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
      where p.partrelid = parent and c.relnamespace = 'public'::regnamespace) then
      raise exception '% is not partitioned by month', parent;
    end if;
    perform make_month_partition(parent, date_trunc('month', month)::date);
  end $$;
  drop function make_partition(regclass, date), partition_name(regclass, date), partition_unit(regclass);`;
