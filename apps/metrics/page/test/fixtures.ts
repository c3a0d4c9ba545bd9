/** What the API could answer: views that satisfy the shapes, full ones, empty ones, and ones in which not everything is known. */
import { RANGES as RANGE_WIDTHS, type RangeName } from '../../src/dashboard/dashboard.shape';
import type {
  ActivityView,
  Amounts,
  Budget,
  Period,
  PlatformView,
  Point,
  SessionView,
  TenantsView,
  TenantView,
} from '../src/api/views';

const NOW = Date.parse('2026-11-24T14:05:30.000Z');
export const ACME = '01a20a23-388c-75b0-b6ac-b001f28ac061';
/** A tenant named itself so. */
export const HOSTILE = `<img src=x onerror="document.title='owned'"> & "Söhne" ${'very '.repeat(8)}long`;
export const ROUTE = 'GET /v1/orders/{id}';

const iso = (ms: number): string => new Date(ms).toISOString();
const WIDTH_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

export function periodOf(range: RangeName): Period {
  const { hours, granularity } = RANGE_WIDTHS[range];
  return { range, from: iso(NOW - hours * 3_600_000), to: iso(NOW), granularity };
}

/** Numbers that repeat from run to run and look like traffic. */
function noise(seed: number): number {
  const value = Math.sin(seed * 12.9898) * 43_758.5453;
  return value - Math.floor(value);
}

function amounts(scale: number, seed: number): Amounts {
  const calls = Math.round(scale * (900 + 250 * Math.sin(seed / 7) + 130 * noise(seed)));
  const busy = calls * (31 + 9 * noise(seed + 1));
  return {
    calls,
    errors: seed % 13 === 0 ? Math.round(calls * 0.004 * noise(seed + 2)) + 1 : 0,
    refusals: Math.round(calls * 0.02 * noise(seed + 3)),
    p50_ms: 12.5 + Math.round(30 * noise(seed + 4)) / 8,
    p95_ms: 81.25 + Math.round(400 * noise(seed + 5)) / 8,
    p99_ms: 210.75 + Math.round(2_000 * noise(seed + 6)) / 8,
    busy_ms: Math.round(busy),
    job_ms: Math.round(busy * 0.23),
    database_ms: Math.round(busy * 0.47),
    queries: calls * 3 + 7,
    bytes_out: calls * 5_120 + 11,
  };
}

/** As of one route: the database is counted for all together. */
const ofOne = <T extends Amounts>(all: T): T => ({ ...all, database_ms: null, queries: null });

export function seriesOf(range: RangeName, scale = 1): Point[] {
  const { granularity, from, to } = periodOf(range);
  const width = WIDTH_MS[granularity];
  const points: Point[] = [];
  let seed = 1;
  for (let at = Math.floor(Date.parse(from) / width) * width; at < Date.parse(to); at += width, seed++) {
    if (seed % 41 === 17) continue; // nothing happened
    const passed = Math.min(width, Date.parse(to) - at); // the last one is still running
    points.push({ period_start: iso(at), ...amounts(scale * (passed / 60_000), seed) });
  }
  return points;
}

export const NOTHING: Amounts = {
  calls: 0,
  errors: 0,
  refusals: 0,
  p50_ms: null,
  p95_ms: null,
  p99_ms: null,
  busy_ms: 0,
  job_ms: 0,
  database_ms: 0,
  queries: 0,
  bytes_out: 0,
};

const TOTALS: Amounts = {
  calls: 1_234_567,
  errors: 321,
  refusals: 7_654,
  p50_ms: 14.25,
  p95_ms: 97.5,
  p99_ms: 412.75,
  busy_ms: 40_123_456,
  job_ms: 9_223_344,
  database_ms: 18_765_432,
  queries: 3_703_701,
  bytes_out: 6_320_987_654,
};

const budget = (tier: string, objective: Budget['objective'], left: number | null, burn: number | null): Budget => ({
  tier,
  objective,
  target: objective === 'availability' ? 0.9999 : 0.95,
  events: left === null ? 0 : 52_340_000 + tier.length,
  bad: left === null ? 0 : Math.round((1 - left) * 5_234),
  remaining_ratio: left,
  burn_1h: burn,
  burn_6h: burn === null ? null : burn / 2,
});

const CLASSES = ['critical', 'high', 'normal', 'low', 'bulk'] as const;

export function platform(range: RangeName = '1h'): PlatformView {
  return {
    taken_at: iso(NOW),
    period: periodOf(range),
    totals: TOTALS,
    series: seriesOf(range, 20),
    organizations: { active: 1_912, suspended: 43, moving: 2, deleting: 1 },
    queues: CLASSES.map((job_class, index) => ({
      job_class,
      waiting: index * 431,
      active: 10 - index * 2,
      delayed: index * 3,
      failed: index === 4 ? 17 : 0,
      oldest_seconds: index * 18.5,
      workers: 4,
      slots: [40, 32, 20, 12, 8][index]!,
      backlog_seconds: index * 41.25,
    })),
    replicas: [
      { name: 'shard-1/replica-1', reachable: true, lag_bytes: 81_920, lag_ms: 12.5 },
      { name: 'shard-2/replica-1', reachable: false, lag_bytes: null, lag_ms: null },
    ],
    shards: [
      {
        name: 'shard-1',
        reachable: true,
        organizations: 988,
        bytes: 48_318_382_080,
        connections: 64,
        connections_max: 200,
      },
      {
        name: 'shard-2',
        reachable: true,
        organizations: 970,
        bytes: 51_539_607_552,
        connections: 71,
        connections_max: 201,
      },
    ],
    processes: [
      { process: 'api-7d9f-1', requests_per_second: 171.5, p95_ms: 96.5, cpu_ratio: 0.62, memory_ratio: 0.41 },
      { process: 'api-7d9f-2', requests_per_second: 168.25, p95_ms: 101.5, cpu_ratio: 0.66, memory_ratio: 0.43 },
      { process: 'worker-5c1b-1', requests_per_second: null, p95_ms: null, cpu_ratio: 0.94, memory_ratio: 0.52 },
    ],
    triggers: [
      { trigger: 'cpu', process: 'api', unit: 'ratio', threshold: 0.7, value: 0.64, fires: false, wanted: 3 },
      {
        trigger: 'requests_per_process',
        process: 'api',
        unit: 'requests/s',
        threshold: 150,
        value: 169.875,
        fires: true,
        wanted: 5,
      },
      { trigger: 'backlog', process: 'worker', unit: 'seconds', threshold: 60, value: 165, fires: true, wanted: 11 },
      { trigger: 'memory', process: 'worker', unit: 'ratio', threshold: 0.8, value: null, fires: false, wanted: null },
    ],
    decisions: [
      { process: 'api', processes: 3, wanted: 5, action: 'add' },
      { process: 'worker', processes: 4, wanted: 11, action: 'add' },
      { process: 'metrics', processes: 2, wanted: null, action: 'unknown' },
    ],
    budgets: [
      budget('all', 'availability', 0.813, 0.4),
      budget('all', 'latency', 0.964, 0.125),
      budget('enterprise', 'availability', 0.952, 0.0625),
      budget('free', 'availability', -0.214, 21.5),
      budget('starter', 'latency', null, null),
    ],
    deploys: [
      { version: '2.14.1', process: 'api', first_seen_at: iso(NOW - 22 * 60_000), running: 3 },
      { version: '2.14.0', process: 'worker', first_seen_at: iso(NOW - 5 * 3_600_000), running: 4 },
      { version: '2.13.9', process: 'api', first_seen_at: iso(NOW - 6 * 86_400_000), running: 0 },
    ],
    missing: [],
  };
}

/** Somebody did not answer. */
export const partial = (): PlatformView => ({
  ...platform(),
  organizations: null,
  queues: null,
  processes: null,
  missing: [
    'The queues: Redis did not answer within 2 s.',
    'Shard shard-2: connection refused; its tenants are missing.',
  ],
});

export const idle = (): PlatformView => ({
  ...platform(),
  totals: NOTHING,
  series: [],
  budgets: [budget('all', 'availability', null, null)],
  deploys: [],
  triggers: [],
  decisions: [],
  replicas: [],
});

const organization = (index: number) => ({
  organization_id: index === 0 ? ACME : `01a20a23-388c-75b0-b6ac-${String(index).padStart(12, '0')}`,
  name:
    ['Acme Ltd', HOSTILE, 'Nordwind GmbH', 'Blue Bottle Retail', 'Kissaten 喫茶店'][index % 5]! +
    (index > 4 ? ` ${index}` : ''),
  slug: ['acme', 'hostile', 'nordwind', 'blue-bottle', 'kissaten'][index % 5]! + (index > 4 ? `-${index}` : ''),
  tier: ['enterprise', 'free', 'professional', 'starter', 'free'][index % 5]!,
  state: index === 3 ? 'suspended' : 'active',
});

export const TENANT_COUNT = 63;

export function tenants({
  range = '1h',
  search = '',
  cursor = 0,
}: { range?: RangeName; search?: string; cursor?: number } = {}): TenantsView {
  const found = Array.from({ length: TENANT_COUNT }, (_, index) => index).filter((index) =>
    organization(index).name.toLowerCase().includes(search.toLowerCase()),
  );
  const rows = found.slice(cursor, cursor + 50);
  const more = found.length > cursor + 50;
  return {
    period: periodOf(range),
    matches: found.length,
    data: rows.map((index) => ({
      ...organization(index),
      ...(index === 4 ? NOTHING : amounts(60 / (index + 1), index * 13)),
      ...(index === 1 ? { errors: 2_345 } : {}),
      cost: index === 2 ? null : { currency: 'EUR', total_micros: Math.round(41_234_567 / (index + 1)) },
    })),
    has_more: more,
    next_cursor: more ? 'cGFnZTI' : null,
    missing: found.length === 0 ? ['Shard shard-2 did not answer; its tenants are missing.'] : [],
  };
}

export function tenant(range: RangeName = '1h'): TenantView {
  return {
    taken_at: iso(NOW),
    organization: { ...organization(0), shard: 'shard-1' },
    period: periodOf(range),
    totals: { ...TOTALS, calls: 54_321, refusals: 1_234, errors: 12 },
    series: seriesOf(range),
    routes: [
      ROUTE,
      'POST /v1/orders',
      'GET /v1/products',
      'POST /v1/stock/reserve',
      'bulk.export',
      HOSTILE.slice(0, 60),
    ].map((activity, index) => ({
      activity,
      ...ofOne(index === 4 ? { ...NOTHING, calls: 3 } : amounts(14 / (index + 1), 26 + index * 13)),
    })),
    limits: [
      { name: 'rate_api', kind: 'rate', unit: 'requests', limit: 6_000, used: 1_240, left: 4_760, window_seconds: 60 },
      { name: 'rate_auth', kind: 'rate', unit: 'requests', limit: 30, used: null, left: null, window_seconds: 61 },
      {
        name: 'concurrency',
        kind: 'concurrency',
        unit: 'requests',
        limit: 64,
        used: 61,
        left: 3,
        window_seconds: null,
      },
      {
        name: 'max_products',
        kind: 'amount',
        unit: 'products',
        limit: 50_000,
        used: 50_000,
        left: 0,
        window_seconds: null,
      },
      {
        name: 'max_storage',
        kind: 'amount',
        unit: 'bytes',
        limit: 107_374_182_400,
        used: 32_212_254_720,
        left: 75_161_927_680,
        window_seconds: null,
      },
    ],
    budgets: [budget('enterprise', 'availability', 0.952, 0.0625), budget('enterprise', 'latency', 0.71, 1.375)],
    jobs: { waiting: 27, running: 5, dead_letters: 2 },
    bytes_stored: 32_212_254_721,
    cost: { currency: 'EUR', total_micros: 41_234_567 },
    missing: [],
  };
}

export const quietTenant = (): TenantView => ({
  ...tenant(),
  totals: NOTHING,
  series: [],
  routes: [],
  budgets: [],
  jobs: null,
  bytes_stored: null,
  cost: null,
  limits: [],
});

export const activity = (range: RangeName = '1h', name = ROUTE): ActivityView => ({
  organization: organization(0),
  activity: name,
  period: periodOf(range),
  totals: ofOne({ ...TOTALS, calls: 4_321, refusals: 123, errors: 0 }),
  series: seriesOf(range, 0.4).map(ofOne),
});

export const OPERATOR: SessionView = { reader: 'operator', organization_id: null, name: null };
export const TENANT: SessionView = { reader: 'tenant', organization_id: ACME, name: 'Acme Ltd' };
