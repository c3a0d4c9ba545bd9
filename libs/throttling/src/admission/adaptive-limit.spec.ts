import { AdaptiveLimit, LEAST } from './adaptive-limit';

const MAXIMUM = 256;

interface Server {
  /** How long a request takes with so many under way, in milliseconds. */
  latencyMs(
    inFlight: number,
    request: { readonly tenant: string; readonly route: string; readonly at: number },
  ): number;
}

interface Client {
  readonly tenant: string;
  readonly route: string;
  /** How many requests it has under way whenever it may. */
  readonly wants: number;
}

/** A process at work on a clock of its own: clients that ask for more as soon as there is room, each in its turn. */
class Process {
  now = 0;
  readonly limits: number[] = [];
  readonly completed = new Map<string, number>();
  readonly limit = new AdaptiveLimit(MAXIMUM, 0);
  private readonly underWay: { endsAt: number; beganAt: number; inFlight: number; client: Client }[] = [];

  constructor(private readonly server: Server) {}

  runUntil(endsAt: number, clients: readonly Client[]): void {
    this.fill(clients);
    while (this.now < endsAt) {
      this.underWay.sort((a, b) => a.endsAt - b.endsAt);
      const next = this.underWay.shift()!;
      this.now = next.endsAt;
      const { tenant, route } = next.client;
      this.completed.set(tenant, (this.completed.get(tenant) ?? 0) + 1);
      this.limit.add({ tenant, route, latencyMs: this.now - next.beganAt, inFlight: next.inFlight }, this.now);
      this.limits.push(this.limit.value);
      this.fill(clients);
    }
  }

  private fill(clients: readonly Client[]): void {
    const counts = new Map(clients.map((client) => [client, 0]));
    for (const { client } of this.underWay) counts.set(client, (counts.get(client) ?? 0) + 1);
    while (this.underWay.length < this.limit.at(this.now)) {
      let client: Client | undefined;
      for (const one of clients)
        if (counts.get(one)! < one.wants && (!client || counts.get(one)! < counts.get(client)!)) client = one;
      if (!client) return;
      counts.set(client, counts.get(client)! + 1);
      const inFlight = this.underWay.length + 1;
      const took = this.server.latencyMs(inFlight, { ...client, at: this.now });
      this.underWay.push({ endsAt: this.now + took, beganAt: this.now, inFlight, client });
    }
  }
}

const SERVICE_MS = 20;
const read = (wants: number, tenant = 'a'): Client => ({ tenant, route: 'GET /read', wants });
/** As many requests at full speed as it has cores; beyond, all of them slow down together. */
const cpuBound = (cores: number): Server => ({ latencyMs: (inFlight) => SERVICE_MS * Math.max(1, inFlight / cores) });
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('the adaptive limit', () => {
  it('finds the knee of a process that is limited by its CPU, and stays there', () => {
    const process = new Process(cpuBound(16));
    process.runUntil(5_000, [read(4)]);
    process.runUntil(60_000, [read(200)]);
    const atFirst = mean(process.limits.slice(-2_000));
    process.runUntil(1_200_000, [read(200)]);
    const later = mean(process.limits.slice(-2_000));
    expect(atFirst).toBeGreaterThan(16); // all cores are busy
    expect(atFirst).toBeLessThan(48);
    expect(later).toBeGreaterThan(16);
    expect(later).toBeLessThan(48); // a baseline that gets used to overload would let it grow to 200
  });

  it('opens up for clients who need more while nothing slows down', () => {
    const process = new Process({ latencyMs: () => SERVICE_MS });
    process.runUntil(20_000, [read(MAXIMUM)]);
    expect(process.limit.value).toBe(MAXIMUM);
  });

  it('never goes below the least or beyond the maximum', () => {
    const process = new Process({ latencyMs: (inFlight) => SERVICE_MS * inFlight ** 2 });
    process.runUntil(600_000, [read(200)]);
    expect(Math.min(...process.limits)).toBe(LEAST);
    expect(Math.max(...process.limits)).toBeLessThanOrEqual(MAXIMUM);
  });

  it('does not grow while few requests come', () => {
    const process = new Process({ latencyMs: () => SERVICE_MS });
    process.runUntil(60_000, [read(4)]);
    expect(process.limit.value).toBe(32);
  });

  it('narrows within seconds of a slowdown, and comes back when it is over', () => {
    const process = new Process({
      latencyMs: (inFlight, { at }) =>
        at > 20_000 && at < 40_000 ? cpuBound(2).latencyMs(inFlight, { tenant: '', route: '', at }) : SERVICE_MS,
    });
    process.runUntil(20_000, [read(100)]);
    const before = process.limit.value;
    process.runUntil(28_000, [read(100)]);
    const during = process.limit.value;
    process.runUntil(60_000, [read(100)]);
    expect(before).toBeGreaterThan(90);
    expect(during).toBeLessThan(20);
    expect(process.limit.value).toBeGreaterThan(90);
  });

  it('believes one that became so slow that nothing ends within a short probe', () => {
    const process = new Process({ latencyMs: (_inFlight, { at }) => (at < 20_000 ? SERVICE_MS : 100 * SERVICE_MS) });
    process.runUntil(120_000, [read(60)]);
    expect(process.limit.value).toBeGreaterThanOrEqual(60);
  });

  it('believes a dependency that became slower, as fewer requests at once do not make it faster', () => {
    const process = new Process({ latencyMs: (_inFlight, { at }) => (at < 20_000 ? SERVICE_MS : 8 * SERVICE_MS) });
    process.runUntil(20_000, [read(60)]);
    process.runUntil(60_000, [read(60)]);
    expect(process.limit.value).toBeGreaterThanOrEqual(60);
  });

  it('is not narrowed by slow reports among quick reads', () => {
    const process = new Process({
      latencyMs: (_inFlight, { route }) => (route === 'GET /report' ? 2_000 : SERVICE_MS),
    });
    const reports = { tenant: 'a', route: 'GET /report', wants: 20 };
    process.runUntil(5_000, [read(20)]);
    process.runUntil(60_000, [read(60), reports]);
    expect(process.limit.value).toBeGreaterThan(80);
  });

  it('is not narrowed for all by one tenant whose own rows are contended', () => {
    const others = ['b', 'c', 'd', 'e'].map((tenant) => read(10, tenant));
    const process = new Process({
      latencyMs: (_inFlight, { tenant, at }) => (tenant === 'a' && at > 10_000 ? 10 * SERVICE_MS : SERVICE_MS),
    });
    process.runUntil(10_000, [read(10), ...others]);
    process.runUntil(19_000, [read(100), ...others]); // before any probe
    expect(process.limit.value).toBeGreaterThan(100);
  });

  it('takes what is faster than its floor for fast enough', () => {
    const process = new Process({ latencyMs: (inFlight) => 0.2 * inFlight });
    process.runUntil(2_000, [read(1)]);
    process.runUntil(20_000, [read(64)]);
    expect(process.limit.value).toBeGreaterThanOrEqual(50);
  });

  it('does not judge the hundreds of routes that somebody makes up', () => {
    const limit = new AdaptiveLimit(MAXIMUM, 0);
    for (let i = 0; i < 5_000; i += 1)
      limit.add({ tenant: 'a', route: `GET /${i}`, latencyMs: 1_000, inFlight: 40 }, i);
    expect(limit.value).toBe(32);
  });
});
