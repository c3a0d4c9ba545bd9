/** Sums of activity over all tenants of a shard, by tier and by tenant: numbers, and nothing of what was done. */

const AMOUNTS = [
  'calls',
  'errors',
  'refusals',
  'duration_us',
  'job_ms',
  'queries',
  'database_us',
  'rows_read',
  'rows_written',
  'bytes_in',
  'bytes_out',
  'cache_bytes',
] as const;
const UNITS = ['minute', 'hour', 'day'] as const;

const OUT = [...AMOUNTS.map((name) => `out ${name} bigint`), 'out latencies bigint[]'].join(', ');
const PERIOD = 'begins timestamptz, ends timestamptz';

/**
 * `used` is what is summed and `key` what by. Sketches are merged as sets, by adding the counts of each bucket: merging them two by
 * two copies each of them.
 */
const sums = (used: string, key: readonly string[]): string => {
  const columns = key.join(', ');
  return `
    with used as materialized (${used}),
    totals as (select ${columns}, ${AMOUNTS.map((name) => `sum(${name})::bigint as ${name}`).join(', ')} from used group by ${columns}),
    buckets as (
      select ${columns}, latencies[i]::bigint as bucket, sum(latencies[i + 1])::bigint as times
      from used, generate_series(1, cardinality(latencies), 2) i group by ${columns}, 3),
    sketches as (
      select ${columns}, array_agg(part order by bucket, place) as latencies
      from buckets, lateral (values (1, bucket), (2, times)) pair (place, part) group by ${columns})
    select ${columns}, ${AMOUNTS.map((name) => `totals.${name}`).join(', ')}, coalesce(sketches.latencies, '{}')
    from totals left join sketches using (${columns})`;
};

/** Rows of all that a tenant did, of the tenants that count here. */
const USED = (unit: (typeof UNITS)[number], columns: string, only: string): string => `
    select ${columns}, ${AMOUNTS.map((name) => `t.${name}`).join(', ')}, t.latencies
    from public.tenant_${unit}s t join public.tenant_places p on p.tenant = t.organization_id
    where t.activity = '' and t.period_start >= begins and t.period_start < ends
      and p.state not in ('arriving', 'moved')${only}`;

const functionsOf = (unit: (typeof UNITS)[number]): string => `
  create function platform_${unit}s(${PERIOD}, without uuid[], out period_start timestamptz, out tier text, ${OUT}) returns setof record
    language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    ${sums(USED(unit, 't.period_start, p.tier', ' and t.organization_id <> all (without)'), ['period_start', 'tier'])}
  $$;

  create function tenants_${unit}s(${PERIOD}, out organization_id uuid, out epoch integer, ${OUT}) returns setof record
    language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    ${sums(USED(unit, 't.organization_id, p.epoch', ''), ['organization_id', 'epoch'])}
  $$;

  revoke execute on function platform_${unit}s(timestamptz, timestamptz, uuid[]), tenants_${unit}s(timestamptz, timestamptz) from public;
  grant execute on function platform_${unit}s(timestamptz, timestamptz, uuid[]), tenants_${unit}s(timestamptz, timestamptz)
    to stockyard_control;`;

export const ACTIVITY_SUMS = `
  create policy totals on tenant_minutes for select to stockyard_owner using (true);
  create policy totals on tenant_hours for select to stockyard_owner using (true);

  -- Of the minutes, hours and days that begin in [begins, ends): what all tenants of this shard did, by period and tier, without some of
  -- them; and what each of them did. A tenant on its way from shard to shard counts on the one that it has not left; of two answers
  -- the one with the greater epoch is newer.
  ${UNITS.map(functionsOf).join('')}`;

export const NO_ACTIVITY_SUMS = `
  ${UNITS.map(
    (unit) => `
  drop function platform_${unit}s(timestamptz, timestamptz, uuid[]), tenants_${unit}s(timestamptz, timestamptz);`,
  ).join('')}
  drop policy totals on tenant_minutes;
  drop policy totals on tenant_hours;`;
