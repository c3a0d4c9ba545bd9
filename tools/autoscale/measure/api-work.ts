/** What requests take: a mix of reads and orders, each kind by itself, and requests that are refused. */
import { Redis } from 'ioredis';
import { loadavg } from 'node:os';
import type { TestEnvironment } from '#libs/testing';
import {
  idempotencyKey,
  type PlannedRequest,
  randomNumbers,
  type RequestKind,
  someRequest,
} from '../../../bench/benches/neighbour/requests';
import { type Tenant, Tenants } from '../../../bench/benches/neighbour/tenants';
import type { PlatformProcess } from '../../../bench/harness/platform-process';
import { processorSeconds } from '../../../bench/harness/processor-time';
import { quantile } from '../../../bench/harness/statistics';
import type { ApiFigures, RequestFigures } from '../figures/figures';
import { quantiles, residentBytes, rounded } from './resident';

/** Shares of the mix, as `someRequest` draws them. */
const SHARES: Readonly<Record<Exclude<RequestKind, 'job' | 'live'>, number>> = {
  product: 0.5,
  levels: 0.3,
  order: 0.2,
};
const WARM_UP = 1_000;
/** With several under way for processor time, as under load; then one after another for the time that it takes alone. */
const MANY = 1_000;
/** The least of so many rounds counts: what else the machine does only adds to it. */
const ROUNDS = 3;
const IN_FLIGHT = 8;
const ALONE = 500;
const UNLIMITED = { requests_per_minute: 10_000_000, api_calls_per_hour: 100_000_000, max_connections: 100 };

type Tell = (text: string) => void;
type ApiWork = Pick<ApiFigures, 'requests' | 'refusal_cpu_seconds' | 'busy_bytes'>;

export async function apiWork(environment: TestEnvironment, api: PlatformProcess, tell: Tell): Promise<ApiWork> {
  await using opened = new AsyncDisposableStack();
  const redis = opened.adopt(new Redis(environment.config.REDIS_URL), (client) => client.disconnect());
  const tenants = new Tenants(environment, api, redis);
  const tenant = await tenants.make(0, 'professional', UNLIMITED);
  const poor = await tenants.make(1, 'professional', { requests_per_minute: 1 });
  await environment.query('vacuum analyze');
  const client = new Client(api.url);
  const draw = ofKind(tenant);
  await client.times(WARM_UP, IN_FLIGHT, tenant.key, draw('product'), [200]);
  const requests: RequestFigures[] = [];
  let busy = 0;
  for (const [kind, share] of Object.entries(SHARES)) {
    const next = draw(kind as RequestKind);
    const expected = kind === 'order' ? [201] : [200];
    await client.times(WARM_UP / 5, IN_FLIGHT, tenant.key, next, expected);
    const cpuSeconds = await client.cpuOf(api.pid, () => client.times(MANY, IN_FLIGHT, tenant.key, next, expected));
    const seconds = await client.times(ALONE, 1, tenant.key, next, expected);
    const wait = seconds.map((one) => Math.max(0, one - cpuSeconds));
    requests.push({ kind, share, cpu_seconds: rounded(cpuSeconds), wait_seconds: quantiles(wait, quantile) });
    busy = Math.max(busy, residentBytes(api.pid));
    tell(`${kind}: ${(cpuSeconds * 1_000).toFixed(3)} ms of a processor (load ${loadavg()[0]!.toFixed(1)}).`);
  }
  const next = ofKind(poor)('product');
  await client.times(10, 1, poor.key, next, [200, 429]);
  const refusal = await client.cpuOf(api.pid, () => client.times(MANY, IN_FLIGHT, poor.key, next, [429]));
  return { busy_bytes: busy, requests, refusal_cpu_seconds: rounded(refusal) };
}

/** Requests of one kind. */
const ofKind = (tenant: Tenant) => {
  const random = randomNumbers(1);
  return (kind: RequestKind) => (): PlannedRequest => {
    for (;;) {
      const request = someRequest(tenant, random);
      if (request.kind === kind) return request;
    }
  };
};

class Client {
  constructor(private readonly url: string) {}

  /** Seconds that each took. Rejects where one was answered otherwise. */
  async times(
    count: number,
    width: number,
    key: string,
    next: () => PlannedRequest,
    expected: readonly number[],
  ): Promise<number[]> {
    const seconds: number[] = [];
    let left = count;
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const began = performance.now();
        const status = await this.send(key, next());
        if (!expected.includes(status))
          throw new Error(`A request was answered ${status}, not ${expected.join(' or ')}.`);
        seconds.push((performance.now() - began) / 1_000);
      }
    };
    await Promise.all(Array.from({ length: width }, lane));
    return seconds;
  }

  /** Processor time of one of MANY. */
  async cpuOf(pid: number, work: () => Promise<unknown>): Promise<number> {
    let least = Infinity;
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = processorSeconds(pid);
      await work();
      least = Math.min(least, (processorSeconds(pid) - before) / MANY);
    }
    return least;
  }

  private async send(key: string, { method, path, body }: PlannedRequest): Promise<number> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body !== undefined && { 'content-type': 'application/json', 'idempotency-key': idempotencyKey() }),
      },
      ...(body !== undefined && { body }),
    });
    await answer.arrayBuffer();
    return answer.status;
  }
}
