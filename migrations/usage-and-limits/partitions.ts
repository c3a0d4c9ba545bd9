/** Months of partitioned tables: made ahead without standing in anybody's way, told apart by name, dropped when they have served. */

/** Every one of them can be put back by the migration that replaces it. */
export const MONTH_FUNCTIONS = `
  -- Makes one month's partition of a parent, walled in and without grants. It is built beside its parent and then attached:
  -- ATTACH lets statements on the parent go on, where CREATE TABLE … PARTITION OF waits for all of them and holds up the next.
  create or replace function make_month_partition(parent regclass, month date) returns void language plpgsql as $$
  declare
    partition text := format('%s_%s', parent::text, to_char(month, 'YYYYMM'));
    key_type text := (select format_type(a.atttypid, null) from pg_partitioned_table p
      join pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0] where p.partrelid = parent);
    next_month date := (month + interval '1 month')::date;
    lower_bound text; upper_bound text;
  begin
    if to_regclass(partition) is not null then return; end if;
    if key_type = 'uuid' then
      lower_bound := month_uuid(month); upper_bound := month_uuid(next_month);
    else
      lower_bound := month::text || ' 00:00:00+00'; upper_bound := next_month::text || ' 00:00:00+00';
    end if;
    execute format('create table %I (like %s including defaults including generated including constraints)', partition, parent);
    execute format('alter table %I enable row level security', partition);
    execute format('alter table %I force row level security', partition);
    execute format('create policy tenant on %I using (organization_id = nullif((select current_setting(''app.tenant_id'', true)), '''')::uuid)
      with check (organization_id = nullif((select current_setting(''app.tenant_id'', true)), '''')::uuid)', partition);
    execute format('alter table %s attach partition %I for values from (%L) to (%L)', parent, partition, lower_bound, upper_bound);
  end $$;

  -- The month before that of 'today', that month and the coming ones of every partitioned table.
  create or replace function maintain_partitions(months_ahead integer, today timestamptz) returns integer language plpgsql as $$
  declare
    parent regclass; made integer := 0; month date;
    this_month timestamp := date_trunc('month', today at time zone 'UTC');
  begin
    for parent in select partrelid::regclass from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
      where c.relnamespace = 'public'::regnamespace order by c.relname
    loop
      for month in select generate_series(this_month - interval '1 month', this_month + make_interval(months => months_ahead),
        interval '1 month')::date
      loop
        if to_regclass(format('%s_%s', parent::text, to_char(month, 'YYYYMM'))) is null then
          perform make_month_partition(parent, month);
          made := made + 1;
        end if;
      end loop;
    end loop;
    return made;
  end $$;

  -- Detaches and drops the oldest month of a parent that ended at least 'kept' before 'today'; answers its name, or null
  -- when there is none. A month of the outbox with a row that was not published stays. The parent is locked for a moment.
  create or replace function retire_partition(parent regclass, kept interval, today timestamptz) returns text language plpgsql as $$
  declare
    partition text; month date; next_month date; served boolean;
  begin
    for partition, month in select c.relname, to_date(right(c.relname, 6), 'YYYYMM') from pg_inherits i
      join pg_class c on c.oid = i.inhrelid where i.inhparent = parent and c.relname ~ '_[0-9]{6}$' order by right(c.relname, 6)
    loop
      next_month := (month + interval '1 month')::date;
      if next_month::timestamp at time zone 'UTC' > today - kept then return null; end if;
      served := parent <> 'outbox'::regclass;
      if not served then
        execute 'lock table only outbox in access exclusive mode';
        served := not exists (select from outbox where published_at is null
          and id >= month_uuid(month)::uuid and id < month_uuid(next_month)::uuid);
      end if;
      if served then
        execute format('alter table %s detach partition %I', parent, partition);
        execute format('drop table %I', partition);
        return partition;
      end if;
    end loop;
    return null;
  end $$;

  -- Called by the worker until it answers null. Whoever calls it cannot drop young months, nor those of other tables: stock
  -- movements are kept for ever, since a level is the sum of its movements.
  create or replace function retire_partition(parent text, kept interval) returns text language plpgsql security definer
    set search_path = public, pg_temp set lock_timeout = '500ms' as $$
  declare
    shortest interval := case parent when 'outbox' then interval '1 day' when 'tenant_usage' then interval '1 month'
      when 'audit_log' then interval '1 month' end;
  begin
    if shortest is null then
      raise exception using errcode = '42501', message = format('Months of %s are kept for ever.', parent);
    end if;
    if kept is null or kept < shortest then
      raise exception using errcode = '22023', message = format('Months of %s are kept for %s at least.', parent, shortest);
    end if;
    return retire_partition(parent::regclass, kept, now());
  end $$;

  -- For each partitioned table how many months after that of 'today' have a partition, up to the first one that has none;
  -- -1 when this month has none itself. Reads the catalog alone.
  create or replace function partition_headroom(today timestamptz default now(), out parent text, out months integer) returns setof record
    language sql stable set search_path = public, pg_temp as $$
    select c.relname::text, (select min(n) from generate_series(0, 120) n where to_regclass(format('%I_%s', c.relname,
      to_char(date_trunc('month', today at time zone 'UTC') + make_interval(months => n), 'YYYYMM'))) is null) - 1
    from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
    where c.relnamespace = 'public'::regnamespace order by c.relname
  $$;`;

export const PARTITION_FUNCTIONS = `
  -- The relay's waiting rows must be seen, whosever they are, before a month of the outbox goes.
  create policy upkeep on outbox for select to stockyard_owner using (true);

  ${MONTH_FUNCTIONS}

  -- Called by the worker each hour, and by migrations. Gives up after half a second of waiting for a lock; it comes again.
  create or replace function maintain_partitions(months_ahead integer) returns integer language sql security definer
    set search_path = public, pg_temp set lock_timeout = '500ms' as 'select maintain_partitions(months_ahead, now())';

  revoke execute on function maintain_partitions(integer, timestamptz), retire_partition(regclass, interval, timestamptz),
    retire_partition(text, interval), partition_headroom(timestamptz) from public;
  grant execute on function retire_partition(text, interval) to stockyard_relay;
  grant execute on function partition_headroom(timestamptz) to stockyard_relay, stockyard_monitor;`;

/** As the foundation made them. */
export const PREVIOUS_PARTITION_FUNCTIONS = `
  -- Makes one month's partition of a parent, walled in and without grants. Parents are ranged by a UUIDv7 id, whose
  -- first 48 bits are milliseconds, or by a timestamptz; the bounds of the month follow from the type of the key.
  create or replace function make_month_partition(parent regclass, month date) returns void language plpgsql as $$
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

  -- Called by the worker each day, and by migrations: the previous, this and the coming months of every partitioned table.
  create or replace function maintain_partitions(months_ahead integer) returns integer language plpgsql security definer
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
  end $$;`;
