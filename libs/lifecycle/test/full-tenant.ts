/**
 * A tenant with rows in every tenant table, values that are easily damaged on the way, rows of months without a partition,
 * jobs in the queues, keys on the Redis servers and files. Written as superuser.
 */
import { newId } from '#libs/kernel';
import { queuePrefix } from '#libs/queues';
import { createOrganization, type TestEnvironment, type TestOrganization } from '#libs/testing';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { idAt } from './id-at';

type Row = Record<string, unknown>;

/** A month that no migration made partitions for. */
const OLD_MONTH = Date.UTC(2021, 4, 17, 12, 30);
const BYTES = Buffer.from([0, 1, 10, 13, 34, 92, 255]);
const TEXT = 'line\nbreak "quoted" \\ back  slash, ünïcödé 漢字 \u2028 and a tab\t';
/** Every space of a `json` column counts. */
const JSON_TEXT = '{ "a" :  1.50,\n "b": [ ] , "big": 12345678901234567890 }';

function rowsOf({ locationId }: TestOrganization): readonly (readonly [table: string, row: Row])[] {
  const [product, user, order, line, back, job] = Array.from({ length: 6 }, () => newId());
  const now = '2026-11-20 10:11:12.123456+00';
  const goods = { kind: 'goods', product_id: product, location_id: locationId };
  const one = { line_number: 1, quantity: 1, unit_price_minor: 9_007_199_254, amount_minor: 9_007_199_254 };
  const movement = {
    product_id: product,
    location_id: locationId,
    reason: TEXT,
    occurred_at: now,
    actor_type: 'system',
  };
  const event = { topic: 't', aggregate_type: 'a', aggregate_id: newId() };
  const entry = { action: 'a', target_type: 't', actor_type: 'system' };
  const money = { currency: 'GBP', total_minor: 1, occurred_at: now };
  const activity = { activity: `POST /v1/orders/:id ${TEXT}`, calls: '9007199254740993', latencies: [0, 1, 250, 2] };
  const letter = { type: 't', class: 'bulk', attempts: 3, failed_at: now };
  return [
    ['tenant_limits', { max_users: 3, max_storage_bytes: 5_000_000_000 }],
    ['users', { id: user, email: 'a@example.com', name: TEXT, role: 'owner', password_hash: 'scrypt$hash' }],
    ['refresh_tokens', { id: newId(), user_id: user, family_id: newId(), token_hash: BYTES, expires_at: now }],
    [
      'api_keys',
      { id: newId(), name: 'k', secret_hash: BYTES, hint: 'abcd', role: 'owner', scopes: ['orders:read', 'a"b,c'] },
    ],
    ['products', { id: product, sku: 'SAME', name: TEXT, currency: 'GBP', price_minor: '900719925474099' }],
    // Above its threshold, or a job would be queued here that nobody asked for.
    ['stock_levels', { product_id: product, location_id: locationId, available: 5, held: 2, low_stock_threshold: 4 }],
    // Young, or upkeep would have it looked at.
    ['stock_crossings', { product_id: product, location_id: locationId, crossed_at: new Date().toISOString() }],
    [
      'stock_alerts',
      {
        ...{
          id: newId(),
          product_id: product,
          location_id: locationId,
          threshold: 4,
          available: 3,
          lowest_available: 2,
        },
        ...{ opened_at: now, acknowledged_at: now, acknowledged_by_type: 'user', acknowledged_by_id: user },
      },
    ],
    ['stock_movements', { id: newId(), type: 'adjustment', available_change: 5, ...movement }],
    ['stock_movements', { id: idAt(OLD_MONTH), type: 'adjustment', held_change: 2, ...movement }],
    ['orders', { id: order, state: 'draft', reference: TEXT, ...money }],
    ['order_lines', { id: line, order_id: order, ...goods, ...one }],
    ['returns', { id: back, order_id: order, reason: 'r', ...money }],
    ['return_lines', { id: newId(), return_id: back, order_line_id: line, disposition: 'restock', ...goods, ...one }],
    [
      'idempotency_keys',
      { key: 'SAME', fingerprint: 'f', status: 201, body: JSON_TEXT, expires_at: '2999-01-01 00:00:00+00' },
    ],
    ['outbox', { id: newId(), payload: JSON_TEXT, published_at: now, ...event }],
    ['inbox', { consumer: 'c', message_id: newId() }],
    ['jobs', { id: job, type: 't', class: 'bulk', payload: JSON_TEXT, actor_type: 'system', state: 'completed' }],
    ['dead_letters', { id: newId(), job_id: job, payload: JSON_TEXT, error: { code: 'c', message: TEXT }, ...letter }],
    ['job_line_errors', { job_id: job, line: 1, code: 'c', message: TEXT }],
    ['job_log', { job_id: job, line: 1, level: 'warn', message: TEXT }],
    [
      'schedules',
      {
        id: newId(),
        name: TEXT,
        cron: '0 0 * * *',
        time_zone: 'UTC',
        job_type: 't',
        payload: JSON_TEXT,
        state: 'paused',
      },
    ],
    [
      'connections',
      {
        id: newId(),
        name: TEXT,
        url: 'https://stock.example.com/feed?a=%20',
        has_bearer_token: true,
        header_names: ['X-Key', 'a"b,c'],
        credentials: '1.0011223344556677.c2VhbGVk',
        credentials_key: '0011223344556677',
        cursor: TEXT,
        breaker_state: 'open',
        breaker_retry_at: now,
        revision: '9007199254740993',
      },
    ],
    ['usage_writers', { writer: newId(), last_flush: 7 }],
    ['stored_files', { key: 'imports/a.csv', bytes: 9 }],
    ['tenant_usage', { metric: 'api_calls', period_start: now, value: 1 }],
    ['tenant_usage', { metric: 'api_calls', period_start: '2021-05-01 00:00:00+00', value: 2 }],
    ['tenant_minutes', { period_start: `${KEPT_DAY} 12:30:00+00`, ...activity }],
    ['tenant_hours', { period_start: '2021-05-17 12:00:00+00', ...activity }],
    ['tenant_days', { period_start: '2021-05-17 00:00:00+00', ...activity }],
    ['audit_log', { id: newId(), data: { a: TEXT }, ...entry }],
  ];
}

/** Minutes are kept for days: what is older, a worker of the spec may drop at any moment. */
const KEPT_DAY = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);

async function insert(env: TestEnvironment, table: string, row: Row): Promise<void> {
  const columns = Object.keys(row);
  const holes = columns.map((_, index) => `$${index + 1}`).join(', ');
  await env.query(`insert into ${table} (${columns.join(', ')}) values (${holes})`, Object.values(row));
}

export async function fullTenant(env: TestEnvironment, options: { products?: number } = {}): Promise<TestOrganization> {
  const organization = await createOrganization(env);
  for (const parent of ['stock_movements', 'tenant_usage', 'tenant_hours'])
    await env.query('select make_partition($1::regclass, $2::date)', [parent, '2021-05-17']);
  await env.query("select make_partition('tenant_minutes', $1::date)", [KEPT_DAY]);
  for (const [table, row] of rowsOf(organization))
    await insert(env, table, { organization_id: organization.id, ...row });
  await env.query(
    `insert into products (organization_id, id, sku, name, currency)
     select $1, gen_random_uuid(), 'SKU-' || n, 'Product ' || n, 'GBP' from generate_series(1, $2::int) n`,
    [organization.id, options.products ?? 0],
  );
  return organization;
}

/** Names of all tenant tables, by the catalogs. */
export async function tenantTableNames(env: TestEnvironment): Promise<string[]> {
  const rows = await env.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id'
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
  );
  return rows.map(({ name }) => name);
}

/** Every row of a tenant as text, by table; empty tables included. When limits were written is the directory's affair. */
export async function contents(
  env: TestEnvironment,
  { id }: { readonly id: string },
): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {};
  for (const name of await tenantTableNames(env)) {
    const rows = await env.query<{ row: string }>(
      `select ${name === 'tenant_limits' ? "(to_jsonb(t) - 'updated_at')" : 't'}::text as row from ${name} t where organization_id = $1 order by t::text`,
      [id],
    );
    all[name] = rows.map(({ row }) => row);
  }
  return all;
}

export const QUEUES = ['critical', 'high', 'normal', 'low', 'bulk'] as const;

async function withRedis<T>(env: TestEnvironment, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(env.config.REDIS_URL);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** A waiting and a delayed job in each queue, and keys of the areas that exist. */
export async function fillRedis(env: TestEnvironment, { id }: { readonly id: string }): Promise<void> {
  const data = { job_id: newId(), organization_id: id, type: 'nobody.handles', version: 1 };
  for (const name of QUEUES) {
    const queue = new Queue(name, { connection: { url: env.config.REDIS_URL }, prefix: queuePrefix(env.config, name) });
    await queue.add('nobody.handles', data, { jobId: `job-${newId()}` });
    await queue.add('nobody.handles', data, { jobId: `job-${newId()}`, delay: 3_600_000 });
    await queue.close();
  }
  await withRedis(env, async (redis) => {
    for (const area of ['cache', 'limits', 'tokens'])
      await redis.set(`${env.config.REDIS_KEY_PREFIX}:${area}:{${id}}:x`, '1');
    for (let index = 0; index < 1_500; index += 1)
      await redis.set(`${env.config.REDIS_KEY_PREFIX}:cache:{${id}}:entry:${index}`, '1');
  });
}

/** Keys that name a tenant, or hold a job of it. */
export function traces(env: TestEnvironment, { id }: { readonly id: string }): Promise<string[]> {
  return withRedis(env, async (redis) => {
    const keys = await redis.keys(`${env.config.REDIS_KEY_PREFIX}:*`);
    const found: string[] = [];
    for (const key of keys) {
      const held = (await redis.type(key)) === 'hash' ? JSON.stringify(await redis.hgetall(key)) : '';
      if (key.includes(id) || held.includes(id)) found.push(key);
    }
    return found;
  });
}
