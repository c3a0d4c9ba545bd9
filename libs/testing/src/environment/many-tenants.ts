/** Organizations by the thousand, with usage of the present hour: for what must not grow with their number. */
import type { TestEnvironment } from './test-environment';

const METRICS = ['api_calls', 'job_milliseconds', 'rate_limit_exceeded_api', 'requests_shed', 'bytes_out', 'rows_read'];

/** The n-th of them used n of each metric, counted from 1. On the home shard. */
export async function createManyTenants(env: TestEnvironment, count: number): Promise<void> {
  await env.query(
    `with made as (
       insert into organizations (id, slug, name, tier) select gen_random_uuid(), 'many-' || n, 'Many ' || n, 'free'
       from generate_series(1, $1) n returning id, split_part(slug, '-', 2)::bigint as n),
     placed as (insert into tenant_places (tenant, epoch, state, tier) select id, 1, 'open', 'free' from made)
     insert into tenant_usage (organization_id, metric, period_start, value)
     select id, metric, date_trunc('hour', now()), n from made, unnest($2::text[]) metric`,
    [count, METRICS],
  );
  await env.query('analyze tenant_places, tenant_usage');
}
