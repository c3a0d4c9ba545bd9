/** Rows of one tenant in every table that goes with it, with the values that are easily damaged on the way. */
import type { Client } from 'pg';

/** Statements by table, in the order of the foreign keys; `$1` is the tenant, `:round` a number that keeps the rows of several calls apart. */
const ROWS: Readonly<Record<string, string>> = {
  products: `insert into products (organization_id, id, sku, name, description, currency, created_at)
    select $1::uuid, new_id(), :round || '-SKU-' || n, 'Schräube „M8" \\ ''x'' ' || n, nullif(repeat('long ', n * 40), ''), 'EUR',
      '2026-11-02T03:04:05.678901Z' from generate_series(0, 24) n`,
  locations: `insert into locations (organization_id, id, code, name, is_default)
    select $1::uuid, new_id(), :round || '-L' || n, E'Tab\\tand\\nline', false from generate_series(1, 3) n`,
  stock_levels: `insert into stock_levels (organization_id, product_id, location_id, available, held, low_stock_threshold)
    select $1::uuid, p.id, l.id, :round + 1, 2, case when l.is_default then 1000 end from products p cross join locations l
    where p.organization_id = $1 and l.organization_id = $1 on conflict do nothing`,
  stock_movements: `insert into stock_movements (organization_id, id, product_id, location_id, type, reason, actor_type, occurred_at, available_change)
    select $1::uuid, new_id(), s.product_id, s.location_id, 'adjustment', '', 'system', now(), :round + 1
    from stock_levels s where s.organization_id = $1`,
  stock_crossings: `insert into stock_crossings (organization_id, product_id, location_id, crossed_at)
    select $1::uuid, s.product_id, s.location_id, '2026-11-02T03:04:05.678901Z' from stock_levels s
    where s.organization_id = $1 and s.low_stock_threshold is null on conflict do nothing`,
  stock_alerts: `insert into stock_alerts (organization_id, id, product_id, location_id, threshold, available, lowest_available, resolved_at)
    select $1::uuid, new_id(), s.product_id, s.location_id, 1000, 1, 1, nullif(now(), case :round when 0 then now() end)
    from stock_levels s where s.organization_id = $1 and s.low_stock_threshold is not null`,
  orders: `insert into orders (organization_id, id, reference, state, currency, total_minor, occurred_at)
    select $1::uuid, new_id(), :round || ':' || n, 'draft', 'EUR', n - 5, now() - interval '1 year' from generate_series(1, 10) n`,
  order_lines: `insert into order_lines (organization_id, id, order_id, line_number, kind, product_id, location_id, quantity, unit_price_minor, amount_minor)
    select $1::uuid, new_id(), o.id, 1 + :round, 'goods', s.product_id, s.location_id, 3, 7, 21 from orders o
    cross join lateral (select * from stock_levels where organization_id = $1 limit 1) s where o.organization_id = $1`,
  returns: `insert into returns (organization_id, id, order_id, reason, currency, total_minor, occurred_at)
    select $1::uuid, new_id(), o.id, 'broken', 'EUR', 7, now() from orders o where o.organization_id = $1 limit 4`,
  return_lines: `insert into return_lines (organization_id, id, return_id, line_number, kind, quantity, unit_price_minor, amount_minor, disposition)
    select $1::uuid, new_id(), r.id, 1 + :round, 'charge', 1, 7, 7, 'none' from returns r where r.organization_id = $1`,
  idempotency_keys: `insert into idempotency_keys (organization_id, key, fingerprint, status, body, expires_at)
    select $1::uuid, :round || ' ключ ' || n, 'f', 201, '{"b" : 1.50,  "a":"\\u0041", "b":2}', now() + interval '1 day' from generate_series(1, 5) n`,
  users: `insert into users (organization_id, id, email, name, role, password_hash)
    select $1::uuid, new_id(), :round || '-' || n || '@example.com', 'Zoë', 'admin', 'x' from generate_series(1, 3) n`,
  refresh_tokens: `insert into refresh_tokens (organization_id, id, user_id, family_id, token_hash, expires_at)
    select $1::uuid, new_id(), u.id, new_id(), decode('00ff5c27', 'hex'), 'infinity' from users u where u.organization_id = $1`,
  api_keys: `insert into api_keys (organization_id, id, name, secret_hash, hint, role, scopes)
    values ($1::uuid, new_id(), :round || 'key', '\\x00', 'h', 'viewer', array['a,b', '{"c"}', null, 'NULL'])`,
  outbox: `insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload, published_at, traceparent)
    select $1::uuid, new_id(), 't', 'a', new_id(), '{"n": 12345678901234567890.123}', case n when 1 then now() end,
      '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' from generate_series(:round, :round + 2) n`,
  inbox: `insert into inbox (organization_id, consumer, message_id) select $1::uuid, :round || ' consumer', new_id() from generate_series(1, 3)`,
  jobs: `insert into jobs (organization_id, id, type, class, payload, actor_type)
    select $1::uuid, new_id(), 'type-' || :round, 'bulk', jsonb_build_object('blob', (select string_agg(md5(n::text || m), '') from generate_series(1, 400) m)), 'system'
    from generate_series(1, 3) n`,
  job_line_errors: `insert into job_line_errors (organization_id, job_id, line, code, message)
    select $1::uuid, j.id, :round + 1, 'c', 'm' from jobs j where j.organization_id = $1 and j.type like 'type-%'`,
  job_log: `insert into job_log (organization_id, job_id, line, at, level, message)
    select $1::uuid, j.id, :round + 1, now(), 'info', 'Zeile 1 ночь' from jobs j where j.organization_id = $1 and j.type like 'type-%'`,
  schedules: `insert into schedules (organization_id, id, name, cron, time_zone, job_type, payload, next_run_at)
    select $1::uuid, new_id(), :round || ' ночь ' || n, '0 3 * * *', 'Europe/Berlin', 't', '{"data": 1.50}', '2999-01-01T00:00:00.123Z' from generate_series(1, 3) n`,
  connections: `insert into connections (organization_id, id, name, url, header_names, credentials, credentials_key, cursor, breaker_state, breaker_trial, breaker_retry_at)
    select $1::uuid, new_id(), :round || ' ночь ' || n, 'https://example.com/' || n, array['a,b', '{"c"}'], '1.k.x', 'k', E'\\tc\\n', 'half_open', new_id(), '2999-01-01T00:00:00.123456Z' from generate_series(1, 3) n`,
  dead_letters: `insert into dead_letters (organization_id, id, job_id, type, class, payload, error, attempts, failed_at)
    select $1::uuid, new_id(), j.id, j.type, j.class, j.payload, '{"code": "c", "message": "m"}', 1, now() from jobs j
    where j.organization_id = $1 and j.type like 'type-%' on conflict do nothing`,
  tenant_usage: `insert into tenant_usage (organization_id, metric, period_start, value)
    select $1::uuid, :round || ' metric ' || n, date_trunc('month', now()), 9223372036854775807 - n from generate_series(1, 5) n`,
  tenant_minutes: `insert into tenant_minutes (organization_id, period_start, activity, calls, latencies)
    select $1::uuid, date_trunc('minute', now()), :round || ' GET /ночь/' || n, n, array[0, n, 250, 1] from generate_series(1, 5) n`,
  tenant_hours: `insert into tenant_hours (organization_id, period_start, activity, calls, latencies)
    select $1::uuid, date_trunc('hour', now()), :round || ' GET /ночь/' || n, n, '{}' from generate_series(1, 5) n`,
  tenant_days: `insert into tenant_days (organization_id, period_start, activity, calls, latencies)
    select $1::uuid, date_trunc('day', now()), :round || ' job ' || n, n, '{1,1}' from generate_series(1, 5) n`,
  usage_writers: `insert into usage_writers (organization_id, writer, last_flush)
    select $1::uuid, new_id(), :round + n from generate_series(1, 3) n`,
  stored_files: `insert into stored_files (organization_id, key, bytes)
    select $1::uuid, 'imports/' || :round || '-' || n || '.csv', n from generate_series(1, 3) n`,
  audit_log: `insert into audit_log (organization_id, id, actor_type, action, target_type, data)
    select $1::uuid, new_id(), 'system', 'a' || :round, 't', '{"k": null}' from generate_series(1, 30)`,
};

export const FILLED_TABLES = Object.keys(ROWS);

/** Adds rows to every table; `round` keeps unique columns of different calls apart. `client` sees the tenant. */
export async function fillEveryTable(client: Client, organizationId: string, round: number): Promise<void> {
  for (const [table, text] of Object.entries(ROWS)) {
    const { rowCount } = await client.query(text.replaceAll(':round', String(round)), [organizationId]);
    if (!rowCount) throw new Error(`No row for ${table}.`);
  }
}
