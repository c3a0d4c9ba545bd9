/** Reports against a real database: each one is what a fold by hand over the same facts gives. */
import { Test, type TestingModule } from '@nestjs/testing';
import { newId } from '#libs/kernel';
import type { JobContext, JobProgress } from '#libs/queues';
import { FileStore, StorageModule } from '#libs/storage';
import { asTenant, createTestEnvironment, platformModules, type TestEnvironment } from '#libs/testing';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { foldMovements, foldSales, type Settled, settle, type World, worlds, ZONES } from '../test/world';
import { REPORT_JOBS, reportKey } from './report.jobs';
import { ReportWriter } from './report.writer';
import type { ReportSource } from './report-source';
import { deadStock } from './sources/dead-stock.source';
import { sales } from './sources/sales.source';
import { stockMovements } from './sources/stock-movements.source';
import { stockValuation } from './sources/stock-valuation.source';

type Row = Record<string, string>;

const DAY_MS = 86_400_000;
/** A counterexample is told before the test's own time is up, however far it could be shrunk. */
const RUNS = { interruptAfterTimeLimit: 40_000 };
const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** Days around the changes of clocks that the worlds are made of. */
const spans = fc
  .record({
    fromMs: fc.oneof(
      fc.integer({ min: Date.UTC(2026, 1, 25), max: Date.UTC(2026, 3, 5) }),
      fc.integer({ min: Date.UTC(2026, 1, 25), max: Date.UTC(2026, 10, 3) }),
    ),
    days: fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 250 })),
    time_zone: fc.constantFrom(...ZONES),
  })
  .map(({ fromMs, days, time_zone }) => ({ from: day(fromMs), to: day(fromMs + days * DAY_MS), time_zone }));

describe('reports', () => {
  let env: TestEnvironment;
  let app: TestingModule;

  beforeAll(async () => {
    env = await createTestEnvironment();
    app = await Test.createTestingModule({
      imports: [...platformModules(env.config), StorageModule],
      providers: [ReportWriter],
    }).compile();
    await app.init();
    // A neighbour with the same SKUs, in each of whose tables the reports would find something.
    const [neighbour] = fc.sample(worlds, { numRuns: 1, seed: 7 });
    await settle(env, neighbour!);
  });
  afterAll(async () => {
    await app.close();
    await env.dispose();
  });

  async function write(
    { organization }: Settled,
    source: ReportSource,
    payload: { format: 'csv' | 'ndjson'; time_zone?: string },
  ) {
    const jobId = newId();
    const reported: JobProgress[] = [];
    const context = {
      ...{ jobId, payload, progress: { processed: 0, failed: 0, total: null }, checkpoint: null },
      report: async (progress: JobProgress) => void reported.push(progress),
    } as unknown as JobContext<typeof payload>;
    return asTenant(app, organization, async () => {
      const result = await app.get(ReportWriter).write(context, source);
      const parts: Buffer[] = [];
      for await (const part of await app.get(FileStore).open(reportKey(jobId, payload.format)))
        parts.push(part as Buffer);
      return { text: Buffer.concat(parts).toString(), result, reported };
    });
  }

  async function rowsOf(settled: Settled, source: ReportSource, time_zone?: string): Promise<Row[]> {
    const { text } = await write(settled, source, { format: 'csv', ...(time_zone !== undefined && { time_zone }) });
    return parse<Row>(text, { columns: true });
  }

  const holds = (check: (world: World, settled: Settled) => Promise<void>) => (world: World) =>
    settle(env, world).then((settled) => check(world, settled));

  it('has a job for each report, which only reads and may run again', () => {
    expect(REPORT_JOBS.map(({ type }) => type)).toEqual([
      'report.stock_valuation',
      'report.stock_movements',
      'report.sales',
      'report.dead_stock',
      'report.low_stock',
    ]);
    for (const job of REPORT_JOBS)
      expect(job).toMatchObject({ class: 'high', idempotency: 'repeatable', writes: false });
  });

  it('sums sales up by product, period and currency as a fold over orders and returns does, in any time zone', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, spans, fc.constantFrom('day', 'week', 'month'), async (world, span, period) =>
        holds(async (_, settled) => {
          const request = { ...span, period } as const;
          const rows = await rowsOf(settled, sales({ format: 'csv', ...request }), span.time_zone);
          const found = rows.map((row) => [
            [
              row.period,
              row.product_id === '' ? '' : settled.products.indexOf(row.product_id!),
              row.kind,
              row.currency,
            ].join(' '),
            {
              quantity: BigInt(row.quantity!),
              revenue_minor: BigInt(row.revenue_minor!),
              returned_quantity: BigInt(row.returned_quantity!),
              refunded_minor: BigInt(row.refunded_minor!),
            },
          ]);
          expect(new Set(found.map(([key]) => key)).size).toBe(found.length);
          expect(Object.fromEntries(found)).toEqual(foldSales(world, request));
        })(world),
      ),
      { ...RUNS, numRuns: 40 },
    );
  });

  it('begins days where the calendar of the zone does: the 23 and 25 hours of a change of clocks are one day', async () => {
    const goods = { kind: 'goods' as const, product: 0, place: 0, quantity: 1, price: 100 };
    const at = (time: string): World['orders'][number] => ({
      ...{ state: 'fulfilled', currency: 'EUR', atMs: Date.parse(time), lines: [goods] },
    });
    const orders = [
      ...['2026-03-28T22:59:59Z', '2026-03-28T23:00:00Z', '2026-03-29T21:59:59Z', '2026-03-29T22:00:00Z'].map(at),
      ...['2026-10-24T21:59:59Z', '2026-10-24T22:00:00Z', '2026-10-25T22:59:59Z', '2026-10-25T23:00:00Z'].map(at),
    ];
    const level = { available: 1, held: 0, unavailable: 0, allocated: 0 };
    const world: World = { prices: [1, 1, 1], levels: Array(6).fill(level), movements: [], returns: [], orders };
    const settled = await settle(env, world);
    const source = sales({ format: 'csv', from: '2026-03-01', to: '2026-10-31', period: 'day' });
    const berlin = sales({
      ...{ format: 'csv', from: '2026-03-01', to: '2026-10-31', period: 'day', time_zone: 'Europe/Berlin' },
    });
    const days = async (from: ReportSource) =>
      (await rowsOf(settled, from)).map(({ period, quantity }) => [period, quantity]);
    expect(await days(berlin)).toEqual([
      ['2026-03-28', '1'],
      ['2026-03-29', '2'],
      ['2026-03-30', '1'],
      ['2026-10-24', '1'],
      ['2026-10-25', '2'],
      ['2026-10-26', '1'],
    ]);
    expect(await days(source)).toEqual([
      ['2026-03-28', '2'],
      ['2026-03-29', '2'],
      ['2026-10-24', '2'],
      ['2026-10-25', '2'],
    ]);
  });

  it('opens, moves and closes each level as a fold over its movements does', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, spans, (world, span) =>
        holds(async (_, settled) => {
          const rows = await rowsOf(settled, stockMovements({ format: 'csv', ...span }), span.time_zone);
          const folded = foldMovements(world, span);
          const keys = rows.map(
            (row) => `${settled.products.indexOf(row.product_id!)} ${settled.places.indexOf(row.location_id!)}`,
          );
          expect([...keys].sort()).toEqual(Object.keys(folded).sort());
          rows.forEach((row, index) => {
            const { opening = 0n, closing = 0n, ...byType } = folded[keys[index]!]!;
            const moved = new Map(Object.entries(byType));
            expect([BigInt(row.opening!), BigInt(row.closing!)]).toEqual([opening, closing]);
            const known = ['receipt+', 'return+', 'fulfilment-'].concat(
              ...['transfer', 'adjustment', 'count'].map((type) => [`${type}+`, `${type}-`]),
            );
            let net = 0n;
            for (const name of known) {
              const isIn = name.endsWith('+');
              const column = name.replace('+', '_in').replace('-', '_out');
              const value = BigInt(row[column]!);
              const expected = moved.get(name) ?? 0n;
              expect([column, value]).toEqual([column, isIn ? expected : -expected]);
              net += isIn ? value : -value;
              moved.delete(name);
            }
            expect(opening + net + BigInt(row.other!)).toBe(closing);
            expect(BigInt(row.other!)).toBe([...moved.values()].reduce((sum, value) => sum + value, 0n));
          });
        })(world),
      ),
      { ...RUNS, numRuns: 40 },
    );
  });

  it('values what is on hand at the list price, with every digit', async () => {
    await fc.assert(
      fc.asyncProperty(
        worlds,
        holds(async (world, settled) => {
          const { text, result } = await write(settled, stockValuation(), { format: 'csv' });
          const rows = parse<Row>(text, { columns: true });
          const expected = world.levels
            .map((level, index) => ({ ...level, product: index % 3, place: Math.floor(index / 3) }))
            .map(({ available, held, allocated, unavailable, ...key }) => ({
              ...key,
              onHand: BigInt(available + held + allocated + unavailable),
            }))
            .filter(({ onHand }) => onHand > 0n);
          expect(
            Object.fromEntries(rows.map((row) => [`${row.product_id} ${row.location_id}`, row.value_minor])),
          ).toEqual(
            Object.fromEntries(
              expected.map(({ product, place, onHand }) => [
                `${settled.products[product]} ${settled.places[place]}`,
                String(onHand * BigInt(world.prices[product]!)),
              ]),
            ),
          );
          const totals = new Map<string, bigint>();
          for (const { product, onHand } of expected) {
            const code = product === 1 ? 'JPY' : 'EUR';
            totals.set(code, (totals.get(code) ?? 0n) + onHand * BigInt(world.prices[product]!));
          }
          const told = (result.totals as { currency: string; value_minor: string }[]).map((total) => [
            total.currency,
            BigInt(total.value_minor),
          ]);
          expect(new Map(told as [string, bigint][])).toEqual(totals);
        }),
      ),
      { ...RUNS, numRuns: 25 },
    );
  });

  it('finds the stock of which nothing has left, and neither what is young nor what is promised', async () => {
    const nowMs = Date.UTC(2026, 2, 31, 12);
    await fc.assert(
      fc.asyncProperty(worlds, fc.integer({ min: 1, max: 40 }), (world, days) =>
        holds(async (_, settled) => {
          const rows = await rowsOf(settled, deadStock({ format: 'csv', days }, nowMs));
          const since = nowMs - days * DAY_MS;
          const expected = world.levels.flatMap(({ available, held, unavailable, allocated }, index) => {
            const [product, place] = [index % 3, Math.floor(index / 3)];
            const own = world.movements.filter((each) => each.product === product && each.place === place);
            const out = own.filter(
              (each) => ['fulfilment', 'transfer'].includes(each.type) && each.available + each.allocated < 0,
            );
            const last = out.length > 0 ? out.map(({ atMs }) => atMs) : [Math.min(...own.map(({ atMs }) => atMs))];
            const isDead = own.length === 0 || Math.max(...last) < since;
            const isThere = available + held + unavailable > 0 && allocated === 0;
            return isDead && isThere ? [`${settled.products[product]} ${settled.places[place]}`] : [];
          });
          expect(rows.map((row) => `${row.product_id} ${row.location_id}`).sort()).toEqual(expected.sort());
        })(world),
      ),
      { ...RUNS, numRuns: 40 },
    );
  });

  it('says the same in both formats, and counts products as it goes', async () => {
    const [world] = fc.sample(worlds, { numRuns: 1, seed: 11 });
    const settled = await settle(env, world!);
    const csv = await write(settled, stockValuation(), { format: 'csv' });
    const ndjson = await write(settled, stockValuation(), { format: 'ndjson' });
    const lines = ndjson.text.trim().split('\n');
    const records = parse<Row>(csv.text, { columns: true });
    expect(lines.map((line) => Object.keys(JSON.parse(line) as object))).toEqual(
      records.map((record) => Object.keys(record)),
    );
    records.forEach((record, index) => expect(lines[index]).toContain(`"value_minor":${record.value_minor}}`));
    expect(csv.result).toMatchObject({ rows: records.length, valued_at: 'list_price' });
    expect(csv.reported).toEqual([
      { processed: 0, failed: 0, total: 3 },
      { processed: 3, failed: 0, total: 3 },
    ]);
  });

  it('takes fewer products at a time where each may have many rows, and none of them twice', async () => {
    const [world] = fc.sample(worlds, { numRuns: 1, seed: 13 });
    const settled = await settle(env, world!);
    const request = { from: '1990-01-01', to: '2040-12-31', period: 'day', time_zone: 'UTC' } as const;
    const { result, reported } = await write(settled, sales({ format: 'csv', ...request }), { format: 'csv' });
    expect(reported.map(({ processed }) => processed)).toEqual([0, 1, 2, 3]);
    expect(result.rows).toBe(Object.keys(foldSales(world!, request)).length);
  });

  it('refuses a time zone that the database does not know', async () => {
    const [world] = fc.sample(worlds, { numRuns: 1, seed: 12 });
    const settled = await settle(env, world!);
    await expect(write(settled, stockValuation(), { format: 'csv', time_zone: 'Mars/Base' })).rejects.toMatchObject({
      code: 'unknown_time_zone',
      category: 'unprocessable',
    });
  });
});
