/** Sums over all tenants of a shard, for what they cost: numbers by tenant, no names and nothing of what was done. */

export const SUM_FUNCTIONS = `
  -- What each tenant of this shard used over the days that begin in [begins, ends). A tenant on its way from shard to shard counts
  -- on the one that it has not left; of two answers the one with the greater epoch is newer. byte_hours holds the last level of
  -- each hour for that hour, and on until the next one, at most until now.
  create function tenant_use(begins timestamptz, ends timestamptz, out organization_id uuid, out epoch integer, out weight integer,
      out busy_us numeric, out database_us numeric, out bytes_out numeric, out byte_hours numeric) returns setof record
    language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select p.tenant, p.epoch, coalesce(l.scheduling_weight, t.scheduling_weight), coalesce(u.busy_us, 0), coalesce(u.database_us, 0),
      coalesce(u.bytes_out, 0), coalesce(s.byte_hours, 0)
    from public.tenant_places p
    join public.tier_limits t on t.tier = p.tier
    left join public.tenant_limits l on l.organization_id = p.tenant
    left join (
      select d.organization_id, sum(d.duration_us + d.job_ms * 1000) as busy_us, sum(d.database_us) as database_us,
        sum(d.bytes_out) as bytes_out
      from public.tenant_days d where d.activity = '' and d.period_start >= begins and d.period_start < ends
      group by d.organization_id) u on u.organization_id = p.tenant
    cross join lateral (
      select sum(value * (extract(epoch from until - greatest(period_start, begins))::bigint / 3600)) as byte_hours from (
        select period_start, value, lead(period_start, 1, least(ends, date_trunc('hour', now(), 'UTC') + interval '1 hour'))
          over (order by period_start) as until
        from (
          (select r.period_start, r.value from public.tenant_usage r where r.organization_id = p.tenant and r.metric = 'bytes_stored'
             and r.period_start < begins order by r.period_start desc limit 1)
          union all
          select r.period_start, r.value from public.tenant_usage r where r.organization_id = p.tenant and r.metric = 'bytes_stored'
            and r.period_start >= begins and r.period_start < ends) levels) steps
      where until > begins) s
    where p.state not in ('arriving', 'moved') order by p.tenant
  $$;

  revoke execute on function tenant_use(timestamptz, timestamptz) from public;
  grant execute on function tenant_use(timestamptz, timestamptz) to stockyard_control;`;
