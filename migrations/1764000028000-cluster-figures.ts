/** What the metrics process asks as stockyard_monitor, which sees no row of a tenant: figures, and no more than it shows. */
import type { Compatibility } from '#libs/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ClusterFigures1764000028000 implements MigrationInterface {
  static readonly compatibility: Compatibility = {
    kind: 'previous_release_runs',
    reason: 'Functions and a policy of the owner are added; nothing that it uses changes.',
  };

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create policy totals on tenant_usage for select to stockyard_owner using (true);

      -- What the tenants of this shard have used since the hour began, the named metrics summed: the first 'most' tenants by
      -- what they used, and the rest as one row without a tenant, so that the sum stays. A tenant that has moved away counts
      -- where it is. Each tenant is looked up by the key: a scan would meet the hours of the whole month.
      create function tenant_usage_of_hour(metrics text[], most integer, out tenant uuid, out value bigint)
        returns setof record language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
        with used as (
          select p.tenant, u.value from public.tenant_places p, lateral (
            select sum(h.value)::bigint as value from public.tenant_usage h
            where h.organization_id = p.tenant and h.metric = any (metrics)
              and h.period_start = date_trunc('hour', now(), 'UTC')) u
          where p.state in ('open', 'suspended', 'fenced') and u.value > 0),
        ranked as (select used.*, row_number() over (order by used.value desc, used.tenant) as place from used)
        select case when r.place <= most then r.tenant end, sum(r.value)::bigint from ranked r group by 1
      $$;

      -- How much of the outbox is not published: counted up to 'most', as an outage may leave millions; and since when the oldest
      -- waits. What a tenant left behind that has moved away is published from where it is.
      create function outbox_waiting(most integer, out waiting bigint, out oldest timestamptz)
        language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
        with waits as (
          select o.created_at, o.seq, o.id from public.outbox o where o.published_at is null and exists (
            select from public.tenant_places p
            where p.tenant = o.organization_id and p.state in ('open', 'suspended', 'fenced'))
          order by o.seq, o.id limit most)
        select count(*), min(w.created_at) from waits w
      $$;

      revoke execute on function tenant_usage_of_hour(text[], integer), outbox_waiting(integer) from public;
      grant execute on function tenant_usage_of_hour(text[], integer), outbox_waiting(integer) to stockyard_monitor;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function outbox_waiting(integer), tenant_usage_of_hour(text[], integer);
      drop policy totals on tenant_usage`);
  }
}
