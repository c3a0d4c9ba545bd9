/** Activity in the database: added with the usage, in three resolutions, as often as that and no oftener. */
import type { INestApplicationContext } from '@nestjs/common';
import { newId } from '#libs/kernel';
import { asTenant, createOrganization, createTestEnvironment, type TestEnvironment } from '#libs/testing';
import fc from 'fast-check';
import { meteringProcess } from '../../test/usage-process';
import { UsageMeter, UsageRepository } from '..';
import { LatencySketch } from './latency-sketch';

const DAY_MS = 86_400_000;

interface ActivityRow {
  readonly period_start: Date;
  readonly activity: string;
  readonly calls: string;
  readonly errors: string;
  readonly refusals: string;
  readonly latencies: number[];
  readonly bytes_out: string;
  readonly job_ms: string;
}

describe('activity in the database', () => {
  let env: TestEnvironment;
  let app: INestApplicationContext;

  beforeAll(async () => {
    env = await createTestEnvironment();
    app = await meteringProcess({ ...env.config, USAGE_FLUSH_MS: 60_000 });
  });

  afterAll(async () => {
    await app.close();
    await env.dispose();
  });

  const rows = (table: string, organizationId: string) =>
    env.query<ActivityRow>(`select * from ${table} where organization_id = $1 order by period_start, activity`, [
      organizationId,
    ]);
  const answer = (durationUs: number, failed = false) => ({ bytesIn: 1, durationUs, failed });
  const amounts = { ...{ calls: 0, errors: 0, refusals: 0, duration_us: 0, job_ms: 0, queries: 0 } };
  const none = {
    ...amounts,
    ...{ database_us: 0, rows_read: 0, rows_written: 0, bytes_in: 0, bytes_out: 0, cache_bytes: 0 },
  };
  const calls = (minute: Date, activity: string, count: number, latencies: number[] = []) => ({
    ...none,
    ...{ minute, activity, calls: count, latencies },
  });

  it('is merged by SQL as by the code', async () => {
    const sketch = fc
      .array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 1_000 })), { maxLength: 60 })
      .map((pairs) => LatencySketch.of(pairs.flat()).pairs());
    await fc.assert(
      fc.asyncProperty(sketch, sketch, async (one, other) => {
        const whole = LatencySketch.of(one);
        whole.merge(LatencySketch.of(other));
        const [row] = await env.query<{ merged: number[]; all: number[] }>(
          `select merge_sketches($1::int[], $2::int[]) as merged,
             (select merged_sketch(s) from (values ($1::int[]), ($2::int[]), ('{}')) v (s)) as all`,
          [one, other].map((pairs) => `{${pairs.join()}}`),
        );
        expect(row).toEqual({ merged: whole.pairs(), all: whole.pairs() });
      }),
    );
  });

  it('stands in minutes, hours and days, by route, by type of job and as a whole', async () => {
    const { id } = await createOrganization(env);
    const meter = app.get(UsageMeter);
    for (const [us, failed] of [
      [1_000, false],
      [2_000, false],
      [900_000, true],
    ] as const) {
      meter.called(id, 'GET /v1/a');
      meter.answered(id, 'GET /v1/a', answer(us, failed));
    }
    await meter.flush();
    meter.called(id, 'POST /v1/b');
    meter.answered(id, 'POST /v1/b', answer(3_000));
    meter.count(id, 'bytes_out', 50, 'POST /v1/b');
    meter.count(id, 'rate_limit_exceeded_api', 1, 'POST /v1/b');
    meter.job(id, 'bulk.import')(true);
    await meter.flush();
    for (const table of ['tenant_minutes', 'tenant_hours', 'tenant_days']) {
      const all = await rows(table, id);
      const of = (activity: string) => {
        const found = all.filter((row) => row.activity === activity);
        return {
          ...Object.fromEntries(
            (['calls', 'errors', 'refusals', 'bytes_out'] as const).map((name) => [
              name,
              found.reduce((sum, row) => sum + Number(row[name]), 0),
            ]),
          ),
          latencies: LatencySketch.of(found.flatMap(({ latencies }) => latencies)).pairs(),
        };
      };
      const sketch = (...times: number[]) => {
        const made = new LatencySketch();
        for (const us of times) made.add(us);
        return made.pairs();
      };
      const a = sketch(1_000, 2_000, 900_000);
      expect(of('GET /v1/a')).toEqual({ calls: 3, errors: 1, refusals: 0, bytes_out: 0, latencies: a });
      const b = sketch(3_000);
      expect(of('POST /v1/b')).toEqual({ calls: 1, errors: 0, refusals: 1, bytes_out: 50, latencies: b });
      expect(of('job bulk.import')).toMatchObject({ calls: 1, errors: 1, bytes_out: 0 });
      const whole = sketch(1_000, 2_000, 3_000, 900_000);
      expect(of('')).toEqual({ calls: 4, errors: 1, refusals: 1, bytes_out: 50, latencies: whole });
      expect(all.filter(({ activity }) => activity === '').reduce((sum, row) => sum + Number(row.job_ms), 0)).toBe(1);
    }
  });

  it('adds up exactly when several writers meet in the same rows, each batch once', async () => {
    const organization = await createOrganization(env);
    const repository = app.get(UsageRepository);
    const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000);
    const batches = Array.from({ length: 4 }, () => newId()).flatMap((writer) =>
      [1, 2, 3].map((number) => ({
        ...{ writer, number, increments: [] },
        activity: [
          calls(minute, 'GET /v1/b', number, [number, 1]),
          calls(minute, 'GET /v1/a', 1),
          calls(minute, '', 1),
        ],
      })),
    );
    for (const number of [1, 2, 3]) {
      const round = batches.filter((batch) => batch.number === number);
      await asTenant(app, organization, () =>
        Promise.all([...round, ...round].map((batch) => repository.apply(batch))),
      );
    }
    for (const table of ['tenant_minutes', 'tenant_hours', 'tenant_days']) {
      const found = await rows(table, organization.id);
      expect(found.map((row) => [row.activity, Number(row.calls), row.latencies])).toEqual([
        ['', 12, []],
        ['GET /v1/a', 12, []],
        ['GET /v1/b', 24, [1, 4, 2, 4, 3, 4]],
      ]);
    }
  });

  it('of a minute whose day has no partition counts by the hour and the day alone', async () => {
    const organization = await createOrganization(env);
    const now = Math.floor(Date.now() / 60_000) * 60_000;
    const [long, recent] = [new Date(now - 20 * DAY_MS), new Date(now)];
    await env.query("select make_partition('tenant_hours', $1)", [long]);
    const activity = [calls(long, '', 3), calls(recent, '', 4)];
    await asTenant(app, organization, () =>
      app.get(UsageRepository).apply({ writer: newId(), number: 1, increments: [], activity }),
    );
    const counted = async (table: string) => (await rows(table, organization.id)).map((row) => Number(row.calls));
    expect(await counted('tenant_minutes')).toEqual([4]);
    expect(await counted('tenant_hours')).toEqual([3, 4]);
    expect(await counted('tenant_days')).toEqual([3, 4]);
  });
});
