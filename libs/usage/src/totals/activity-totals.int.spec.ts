/** Sums over all tenants, against a model that adds up the raw rows one by one: of several tiers, two shards, and a tenant that moves. */
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ManualClock } from '#libs/kernel';
import type { Tier } from '#libs/tenancy';
import {
  createOrganization,
  createTestEnvironment,
  platformModules,
  type TestEnvironment,
  type TestOrganization,
} from '#libs/testing';
import { ActivityCell, AMOUNTS } from '../activity/activity-cell';
import { ActivityTotalsRepository, PlatformActivityService, UsageModule } from '..';
import { partsUntilNow, type TimePart, UNIT_MS } from './time-parts';

const DAY = Date.UTC(2026, 9, 10);
const HOUR = DAY + 13 * UNIT_MS.hour;

interface RawRow {
  readonly shard: number;
  readonly organization: string;
  readonly tier: Tier;
  readonly start: number;
  readonly activity: string;
  readonly cell: ActivityCell;
}

/** Numbers that look like chance and are the same at each run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state % below;
  };
}

const plain = (cell: ActivityCell | undefined) => cell && { ...cell.amounts, latencies: cell.latencies.pairs() };

describe('sums over all tenants', () => {
  let env: TestEnvironment;
  let app: INestApplicationContext;
  let totals: ActivityTotalsRepository;
  const rows: RawRow[] = [];
  const tenants: { readonly organization: TestOrganization; readonly tier: Tier; readonly shard: number }[] = [];

  const write = async ({ shard, organization, start, activity, cell }: RawRow, table: string) => {
    const values = AMOUNTS.map((name) => cell.amounts[name]);
    await env.shards[shard]!.query(
      `insert into ${table} (organization_id, period_start, activity, latencies, ${AMOUNTS.join(', ')})
       values ($1, $2, $3, $4, ${AMOUNTS.map((_, index) => `$${index + 5}`).join(', ')})`,
      [organization, new Date(start), activity, cell.latencies.pairs(), ...values],
    );
  };

  beforeAll(async () => {
    env = await createTestEnvironment({}, { shards: 2 });
    const next = numbers(7);
    for (const shard of env.shards) {
      await shard.query(
        "select make_partition('tenant_minutes', '2026-10-10'), make_partition('tenant_hours', '2026-10-01')",
      );
    }
    for (const [shard, tier] of [
      [0, 'free'],
      [0, 'free'],
      [0, 'starter'],
      [1, 'free'],
      [1, 'enterprise'],
    ] as const) {
      const organization = await createOrganization(env, { tier, shard: env.shards[shard]!.name });
      tenants.push({ organization, tier, shard });
      for (let minute = 0; minute < 6; minute += 1) {
        for (const activity of ['', 'GET /v1/orders']) {
          if (next(4) === 0) continue; // nothing happened
          const cell = new ActivityCell();
          for (const name of AMOUNTS) cell.amounts[name] = next(1_000);
          for (let time = next(30); time > 0; time -= 1) cell.latencies.add(1 + next(3_000_000));
          const start = HOUR + minute * UNIT_MS.minute;
          rows.push({ shard, organization: organization.id, tier, start, activity, cell });
        }
      }
    }
    for (const row of rows) await write(row, 'tenant_minutes');
    @Module({ imports: [...platformModules(env.config), UsageModule.forRoot()] })
    class Sums {}
    app = await NestFactory.createApplicationContext(Sums, { logger: false });
    totals = app.get(ActivityTotalsRepository);
  });

  afterAll(async () => {
    await app.close();
    await env.dispose();
  });

  const MINUTES: TimePart = { unit: 'minute', from: HOUR + UNIT_MS.minute, to: HOUR + 5 * UNIT_MS.minute };
  const counted = (part: TimePart) =>
    rows.filter(({ start, activity }) => activity === '' && start >= part.from && start < part.to);
  const model = (of: readonly RawRow[]) => {
    const sum = new ActivityCell();
    for (const { cell } of of) sum.absorb(cell);
    return plain(sum);
  };

  it('are those of the rows of each period and tier, sketches included', async () => {
    const { periods, missing, complete } = await totals.ofPlatform(MINUTES);
    expect([missing, complete]).toEqual([[], true]);
    const expected = Map.groupBy(counted(MINUTES), ({ start, tier }) => `${start} ${tier}`);
    const found = [...periods].flatMap(([start, tiers]) =>
      [...tiers].map(([tier, cell]) => [`${start} ${tier}`, plain(cell)] as const),
    );
    expect(expected.size).toBeGreaterThan(8);
    expect(new Map(found)).toEqual(new Map([...expected].map(([key, of]) => [key, model(of)])));
  });

  it('are those of the rows of each tenant', async () => {
    const { tenants: sums } = await totals.ofTenants([MINUTES]);
    const expected = Map.groupBy(counted(MINUTES), ({ organization }) => organization);
    expect(new Map([...sums].map(([id, cell]) => [id, plain(cell)]))).toEqual(
      new Map([...expected].map(([id, of]) => [id, model(of)])),
    );
  });

  it('count a tenant once that is on two shards, where its epoch is greater, and on none that it is yet to reach', async () => {
    const { organization, tier, shard } = tenants[0]!;
    const [here, there] = [env.shards[shard]!, env.shards[1 - shard]!];
    const copies = counted(MINUTES).filter((row) => row.organization === organization.id);
    const before = await totals.ofPlatform(MINUTES);
    const tenantBefore = plain((await totals.ofTenants([MINUTES])).tenants.get(organization.id));
    await there.query("insert into tenant_places (tenant, epoch, state, tier) values ($1, 2, 'arriving', $2)", [
      organization.id,
      tier,
    ]);
    for (const row of copies) await write({ ...row, shard: 1 - shard }, 'tenant_minutes');
    const same = (periods: typeof before.periods) =>
      [...periods]
        .map(([start, tiers]) => [start, [...tiers].map(([name, cell]) => [name, plain(cell)]).sort()])
        .sort();
    const arriving = await totals.ofPlatform(MINUTES);
    expect(same(arriving.periods)).toEqual(same(before.periods));
    expect(arriving.complete).toBe(false);
    // Both have it for a moment: the copy that was left is not closed yet.
    await there.query("update tenant_places set state = 'open' where tenant = $1", [organization.id]);
    await here.query("update tenant_places set state = 'fenced' where tenant = $1", [organization.id]);
    await here.query('update tenant_minutes set calls = calls + 1000000 where organization_id = $1', [organization.id]);
    const both = await totals.ofPlatform(MINUTES);
    expect([same(both.periods), both.complete]).toEqual([same(before.periods), true]);
    expect(plain((await totals.ofTenants([MINUTES])).tenants.get(organization.id))).toEqual(tenantBefore);
    await here.query("update tenant_places set state = 'moved' where tenant = $1", [organization.id]);
    expect(same((await totals.ofPlatform(MINUTES)).periods)).toEqual(same(before.periods));
    await there.query('delete from tenant_places where tenant = $1', [organization.id]);
    await here.query("update tenant_places set state = 'open' where tenant = $1", [organization.id]);
    await here.query('update tenant_minutes set calls = calls - 1000000 where organization_id = $1', [organization.id]);
  });

  it('add up parts of several units, each of which is read once', async () => {
    for (const { organization, shard } of tenants.slice(3)) {
      const cell = new ActivityCell();
      cell.amounts.calls = 1_000_000;
      cell.latencies.add(5);
      const row = { shard, organization: organization.id, tier: 'free', activity: '', cell } as const;
      await write({ ...row, start: HOUR + UNIT_MS.hour }, 'tenant_hours');
    }
    const parts = partsUntilNow('minute', HOUR + 3 * UNIT_MS.minute, HOUR + 90 * UNIT_MS.minute);
    expect(parts).toEqual([
      { unit: 'minute', from: HOUR + 3 * UNIT_MS.minute, to: HOUR + UNIT_MS.hour },
      { unit: 'hour', from: HOUR + UNIT_MS.hour, to: HOUR + 2 * UNIT_MS.hour },
    ]);
    const { tenants: sums } = await totals.ofTenants(parts);
    const { id } = tenants[4]!.organization;
    const minutes = counted(parts[0]!).filter((row) => row.organization === id);
    const calls = minutes.reduce((sum, { cell }) => sum + cell.amounts.calls, 0);
    expect(sums.get(id)!.amounts.calls).toBe(1_000_000 + calls);
    expect(sums.get(id)!.latencies.count()).toBe(
      1 + minutes.reduce((sum, { cell }) => sum + cell.latencies.count(), 0),
    );
  });

  it('are read again only while something may be added to them', async () => {
    const asked: TimePart[] = [];
    const clock = new ManualClock(HOUR + 5 * UNIT_MS.minute + 30_000);
    const spied: Pick<ActivityTotalsRepository, 'ofPlatform'> = {
      ofPlatform: (part) => {
        asked.push(part);
        return totals.ofPlatform(part);
      },
    };
    const service = new PlatformActivityService(spied as ActivityTotalsRepository, clock);
    const all = { unit: 'minute', from: HOUR, to: HOUR + 6 * UNIT_MS.minute } as const;
    const first = await service.read(all);
    expect(asked.splice(0)).toEqual([all]);
    expect(first.periods.size).toBe(6);
    expect(await service.read(all)).toEqual(first);
    // The minute at hand and those that ended within two minutes.
    expect(asked.splice(0)).toEqual([{ ...all, from: HOUR + 3 * UNIT_MS.minute }]);
    clock.advance(25 * UNIT_MS.minute);
    await service.read(all); // all of them are over by now: once more, and then never again
    expect(asked.splice(0)).toEqual([all]);
    clock.advance(10 * UNIT_MS.minute);
    expect(await service.read(all)).toEqual(first);
    expect(asked).toEqual([]);
  });

  it('are told to the role of the directory alone', async () => {
    for (const role of ['control', 'app', 'relay', 'monitor', 'mover'] as const) {
      const client = await env.connectAs(role);
      const told = (call: string) =>
        client.query(`select * from ${call}`).then(
          () => 'told',
          (error: unknown) => (error as { code: string }).code,
        );
      try {
        for (const unit of ['minutes', 'hours', 'days']) {
          const expected = role === 'control' ? 'told' : '42501';
          expect([role, await told(`platform_${unit}(now(), now(), '{}')`)]).toEqual([role, expected]);
          expect([role, await told(`tenants_${unit}(now(), now())`)]).toEqual([role, expected]);
          if (role === 'control') expect(await told(`tenant_${unit}`)).toBe('42501');
        }
      } finally {
        await client.end();
      }
    }
  });
});
