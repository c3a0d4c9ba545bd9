/** The fair order against its definition, with random arrivals, weights and costs; Redis is real, the server is a simulation. */
import { type LocalRedis, startLocalRedis } from '#libs/testing';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { ClassKeys } from './fair-keys';
import { FairOrder, jobLength, UNIT } from './fair-order';
import { HORIZON } from './tags';

const CLASS = 'normal';
const SCALE = 2 ** 32;

interface Work {
  readonly id: string;
  readonly tenant: string;
  readonly cost: number;
  readonly length: number;
}

/** BullMQ's side, as far as the order goes: added last, taken from the lowest priority on, first come first served. */
/** Names depend on it: one server. */
const REDIS_URL = 'redis://127.0.0.1';

class Line {
  private static lines = 0;
  private counter = 0;
  readonly order: FairOrder;
  readonly keys;

  constructor(readonly redis: Redis) {
    const naming = { REDIS_KEY_PREFIX: `fair-test-${(Line.lines += 1)}`, REDIS_URL };
    this.order = new FairOrder(redis, naming);
    this.keys = new ClassKeys(naming).fair(CLASS);
  }

  async arrive(works: readonly Work[], whileTagged: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    if (works.length === 0) return;
    const tags = await this.order.tag(CLASS, works.map(arrival));
    await whileTagged();
    const pipeline = this.redis.pipeline();
    for (const [index, { id }] of works.entries()) {
      const { tag, priority } = tags[index]!;
      pipeline.hset(this.keys.jobPrefix + id, 'priority', priority, 'data', JSON.stringify({ tag }));
      pipeline.zadd(this.keys.prioritized, priority * SCALE + (this.counter += 1), id);
    }
    await pipeline.exec();
  }

  /** Takes the next one, and tells the clock. */
  async serve(): Promise<string | undefined> {
    await this.redis.rpop(this.keys.active);
    const [id] = await this.redis.zpopmin(this.keys.prioritized);
    if (id === undefined) return undefined;
    await this.redis.lpush(this.keys.active, id);
    const { tag } = JSON.parse((await this.redis.hget(this.keys.jobPrefix + id, 'data'))!) as { tag: number };
    this.order.begun(CLASS, tag);
    await this.order.tell();
    return id;
  }

  async priority(id: string): Promise<number> {
    return Number(await this.redis.hget(this.keys.jobPrefix + id, 'priority'));
  }

  /** As BullMQ does with a job that is put back: in front of its equals. */
  async putBack(id: string): Promise<void> {
    await this.redis.zadd(this.keys.prioritized, (await this.priority(id)) * SCALE, id);
    await this.order.placed(CLASS, id);
  }

  get clock(): string {
    return this.keys.clock;
  }

  async base(): Promise<number> {
    return Number(await this.redis.hget(this.clock, 'base'));
  }

  waiting(): Promise<string[]> {
    return this.redis.zrange(this.keys.prioritized, 0, -1);
  }
}

const arrival = ({ tenant, length }: Work) => ({ organizationId: tenant, length });

/** The definition, without a base, priorities or Redis. */
class Definition {
  private now = 0;
  private readonly finish = new Map<string, number>();
  private waiting: { id: string; tag: number; number: number }[] = [];
  private number = 0;

  arrive(works: readonly Work[]): void {
    for (const { id, tenant, length } of works) {
      const tag = Math.min(Math.max(this.now, this.finish.get(tenant) ?? 0), this.now + HORIZON);
      this.finish.set(tenant, Math.min(tag + length, this.now + HORIZON));
      this.waiting.push({ id, tag, number: (this.number += 1) });
    }
  }

  serve(): string | undefined {
    this.waiting.sort((a, b) => Math.floor(a.tag) - Math.floor(b.tag) || a.number - b.number);
    const next = this.waiting.shift();
    if (next) this.now = Math.max(this.now, next.tag);
    return next?.id;
  }
}

interface Served {
  readonly tenant: number;
  readonly cost: number;
  /** Of each tenant: whether it had something waiting just before. */
  readonly waiting: readonly boolean[];
}

type Weighted = readonly [tenant: number, weight: number];

/** By how much two tenants' costs, divided by their weights, differ at most in an interval in which both wait throughout. */
function widestDrift(served: readonly Served[], [one, a]: Weighted, [other, b]: Weighted): number {
  let [low, high, sum, widest] = [0, 0, 0, 0];
  for (const { tenant, cost, waiting } of served) {
    if (!waiting[one] || !waiting[other]) [low, high, sum] = [0, 0, 0];
    else if (tenant === one) sum += cost / a;
    else if (tenant === other) sum -= cost / b;
    [low, high] = [Math.min(low, sum), Math.max(high, sum)];
    widest = Math.max(widest, high - low);
  }
  return widest;
}

describe('the fair order of a class', () => {
  let server: LocalRedis;
  let redis: Redis;

  beforeAll(async () => {
    server = await startLocalRedis();
    redis = new Redis(server.url);
  });

  afterAll(async () => {
    redis.disconnect();
    await server.remove();
  });

  let made = 0;
  const work = (tenant: string, cost = 1, weight = 1): Work => {
    made += 1;
    return { id: `job-${made}`, tenant, cost, length: jobLength(cost, weight) };
  };

  it('serves tenants that wait in proportion to their weights, to within one longest job of each', async () => {
    const tenants = fc.array(fc.constantFrom(1, 2, 4, 8), { minLength: 2, maxLength: 4 });
    const steps = fc.array(
      fc.record({
        tenant: fc.nat(3),
        costs: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 12 }),
        serve: fc.nat(8),
      }),
      { minLength: 3, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(tenants, steps, async (weights, plan) => {
        const line = new Line(redis);
        const works = new Map<string, Work>();
        const backlog = weights.map(() => 0);
        /** What was served, and who had something waiting just before. */
        const served: Served[] = [];
        const serve = async () => {
          const waiting = backlog.map((jobs) => jobs > 0);
          const id = await line.serve();
          if (id === undefined) return false;
          const { tenant, cost } = works.get(id)!;
          served.push({ tenant: Number(tenant), cost, waiting });
          backlog[Number(tenant)]! -= 1;
          return true;
        };
        for (const { tenant, costs, serve: times } of plan) {
          const index = tenant % weights.length;
          const arriving = costs.map((cost) => work(String(index), cost, weights[index]));
          for (const each of arriving) works.set(each.id, each);
          await line.arrive(arriving);
          backlog[index]! += arriving.length;
          for (let i = 0; i < times; i += 1) await serve();
        }
        while (await serve());
        expect(served).toHaveLength(works.size);
        const longest = weights.map((_, index) =>
          Math.max(0, ...[...works.values()].flatMap(({ tenant, cost }) => (Number(tenant) === index ? [cost] : []))),
        );
        for (const [one, a] of weights.entries())
          for (const [other, b] of weights.entries()) {
            if (one >= other) continue;
            const bound = longest[one]! / a + longest[other]! / b + 2 / UNIT; // tags are compared in whole units
            expect(widestDrift(served, [one, a], [other, b])).toBeLessThanOrEqual(bound + 1e-9);
          }
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  it('is the order of the definition, job by job, while the base moves under hundreds that wait', async () => {
    const steps = fc.array(
      fc.record({
        tenant: fc.nat(5),
        weight: fc.constantFrom(1, 2, 3),
        jobs: fc.integer({ min: 20, max: 120 }),
        cost: fc.integer({ min: 3_000, max: 8_000 }),
        serve: fc.integer({ min: 20, max: 60 }),
      }),
      { minLength: 15, maxLength: 25 },
    );
    let furthest = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const line = new Line(redis);
        const definition = new Definition();
        for (const { tenant, weight, jobs, cost, serve } of plan) {
          const works = Array.from({ length: jobs }, () => work(String(tenant), cost, weight));
          await line.arrive(works);
          if (works.length > 0) definition.arrive(works);
          for (let i = 0; i < serve; i += 1) expect(await line.serve()).toBe(definition.serve());
        }
        for (let next = definition.serve(); next !== undefined; next = definition.serve())
          expect(await line.serve()).toBe(next);
        furthest = Math.max(furthest, await line.base());
      }),
      { numRuns: 6 },
    );
    expect(furthest).toBeGreaterThan(0);
  }, 240_000);

  it('lets a tenant with 20 jobs that comes after 100,000 others be done after 40', async () => {
    const line = new Line(redis);
    for (let batch = 0; batch < 100; batch += 1) await line.arrive(Array.from({ length: 1_000 }, () => work('many')));
    const few = Array.from({ length: 20 }, () => work('few'));
    await line.arrive(few);
    const served: string[] = [];
    while (!few.every(({ id }) => served.includes(id))) served.push((await line.serve())!);
    expect(served.length).toBeLessThanOrEqual(41);
  }, 120_000);

  it('saves nothing up for who was idle, and holds nothing against who was alone', async () => {
    const line = new Line(redis);
    await line.arrive(Array.from({ length: 50 }, () => work('busy')));
    for (let i = 0; i < 50; i += 1) await line.serve();
    const [late, busy] = [work('late'), work('busy')];
    const more = [work('late'), work('busy')];
    await line.arrive([late, busy, ...more]);
    const order = [await line.serve(), await line.serve(), await line.serve(), await line.serve()];
    const tenants = order.map((id) => (id === late.id || id === more[0]!.id ? 'late' : 'busy'));
    expect(new Set(tenants.slice(0, 2))).toEqual(new Set(['late', 'busy']));
  });

  it('lets an urgent job change places with a less urgent one of its tenant, and with nobody else', async () => {
    const line = new Line(redis);
    const [a, b] = [Array.from({ length: 3 }, () => work('a')), Array.from({ length: 3 }, () => work('b'))];
    await line.arrive([...a, ...b]);
    const urgent = work('a');
    await line.arrive([urgent]);
    await line.order.swap(CLASS, urgent.id, ['job-gone', ...a.map(({ id }) => id)]);
    const ids = (works: Work[]) => works.map(({ id }) => id);
    expect(await line.waiting()).toEqual([urgent.id, ...ids([b[0]!, a[1]!, b[1]!, a[2]!, b[2]!, a[0]!])]);
    await line.order.swap(CLASS, urgent.id, ids(a)); // nothing of these is before it any more
    expect((await line.waiting())[0]).toBe(urgent.id);
  });

  it('puts a job that was tagged before the base moved and added after it where it belongs', async () => {
    const line = new Line(redis);
    const far = work('far', 1_000);
    const step = async () => {
      await line.arrive([work('mover', 10_000)]);
      await line.serve();
    };
    while ((await line.base()) === 0) {
      const before = Number(await redis.hget(line.clock, 'now'));
      if (before > 1_260_000) {
        await line.arrive([far], async () => {
          while ((await line.base()) === 0) await step();
        });
      } else await step();
    }
    const later = work('later');
    await line.arrive([later]);
    await line.arrive([work('other')]);
    expect((await line.waiting())[0]).toBe(far.id);
  });

  it('makes a job that comes up again wait for who is before it, once, and charges it', async () => {
    const line = new Line(redis);
    const [crashing, next, ...others] = [
      work('crashing'),
      work('crashing'),
      work('other'),
      work('other'),
      work('other'),
    ];
    await line.arrive([crashing]);
    expect(await line.serve()).toBe(crashing.id);
    await line.arrive(others);
    // Its worker was lost; BullMQ hands it out before everybody.
    expect(await line.order.mayBegin(CLASS, crashing.id, 2, arrival(crashing))).toBe(false);
    await line.putBack(crashing.id);
    await line.arrive([next]);
    const order = [];
    for (let i = 0; i < 5; i += 1) order.push(await line.serve());
    const [x, y, z] = others.map(({ id }) => id);
    expect(order).toEqual([x, crashing.id, y, z, next.id]);
    expect(await line.order.mayBegin(CLASS, crashing.id, 3, arrival(crashing))).toBe(true);
    expect(await line.order.mayBegin(CLASS, crashing.id, 4, arrival(crashing))).toBe(true); // nobody waits
  });

  it('lets a job that was handed back begin at its next pick, without another charge', async () => {
    const line = new Line(redis);
    const [handed, next] = [work('one'), work('one')];
    await line.arrive([handed, next, work('two'), work('two')]);
    await line.serve();
    await line.order.setAside(CLASS, handed.id, 2);
    expect(await line.priority(handed.id)).toBe(1);
    expect(await line.order.mayBegin(CLASS, handed.id, 2, arrival(handed))).toBe(true);
    expect(await line.order.mayBegin(CLASS, handed.id, 3, arrival(handed))).toBe(false);
  });

  it('forgets tenants that owe nothing', async () => {
    const line = new Line(redis);
    for (let tenant = 0; tenant < 200; tenant += 1) await line.arrive([work(`tenant-${tenant}`)]);
    while (await line.serve());
    await line.arrive([work('last')]);
    await line.serve();
    await line.arrive([work('last')]);
    await line.serve();
    expect(await redis.zcard(line.keys.finish)).toBeLessThan(5);
  });
});
