/** What a deployment does all day, done so many times by the real processes: requests, a file taken in, jobs. */
import { Redis } from 'ioredis';
import { waitFor } from '#libs/local-stack';
import { createOrganization } from '#libs/testing';
import type { PlatformProcess } from '../../harness/platform-process';
import { inFlight } from '../../harness/parallel';
import type { BenchServers } from '../../harness/servers';
import {
  idempotencyKey,
  type PlannedRequest,
  randomNumbers,
  type RequestKind,
  someRequest,
} from '../neighbour/requests';
import { type Tenant, Tenants } from '../neighbour/tenants';

const IN_FLIGHT = 8;
const TIMEOUT_MS = 120_000;
const UNLIMITED = {
  requests_per_minute: 10_000_000,
  api_calls_per_hour: 100_000_000,
  bulk_per_hour: 100_000,
  max_connections: 100,
  max_waiting_jobs: 1_000_000,
};

export class Work {
  private readonly random = randomNumbers(1);
  private made = 0;

  private constructor(
    private readonly servers: BenchServers,
    private readonly api: PlatformProcess,
    private readonly redis: Redis,
    private readonly tenants: Tenants,
    private readonly tenant: Tenant,
    /** It has no more movements than it was made with, however many orders there were. */
    private readonly jobsTenant: Tenant,
  ) {}

  static async open(servers: BenchServers, api: PlatformProcess): Promise<Work> {
    const redis = new Redis(servers.redis.url);
    const tenants = new Tenants(servers.environment, api, redis);
    const tenant = await tenants.make(0, 'professional', UNLIMITED);
    const jobsTenant = await tenants.make(1, 'professional', UNLIMITED);
    await servers.environment.query('vacuum analyze');
    return new Work(servers, api, redis, tenants, tenant, jobsTenant);
  }

  close(): void {
    this.redis.disconnect();
  }

  /** Requests of one kind. Rejects where one is not answered as it should be. */
  requests(kind: RequestKind, count: number): Promise<void> {
    const status = kind === 'order' ? 201 : 200;
    return inFlight(IN_FLIGHT, count, async () => {
      const { method, path, body } = this.next(kind);
      const answer = await this.fetch(method, path, body, 'application/json');
      if (answer !== status) throw new Error(`${method} ${path} was answered ${answer}.`);
    });
  }

  /** A file of so many lines, each a product that was not there. */
  async importLines(lines: number): Promise<void> {
    this.made += 1;
    const rows = Array.from({ length: lines }, (_, line) => `I-${this.made}-${line},Product ${line},9.90,EUR,12`);
    const file = ['sku,name,price,currency,on_hand', ...rows].join('\n');
    const answer = await this.fetch('POST', '/v1/imports', file, 'text/csv');
    if (answer !== 202) throw new Error(`The import was answered ${answer}.`);
    await this.jobsEnded();
  }

  /** Jobs that each compare 1,000 levels with their movements. */
  async jobs(count: number): Promise<void> {
    await this.tenants.fillQueue(this.jobsTenant, count);
    await this.jobsEnded();
  }

  /** Jobs that are handed to Redis, where nobody takes them. */
  async waitingJobs(count: number): Promise<void> {
    const [row] = await this.servers.environment.query<{ open: number }>(
      "select count(*)::integer as open from jobs where state = 'queued'",
    );
    await this.tenants.fillQueue(this.jobsTenant, row!.open + count);
    await this.published();
  }

  /** Organizations that ask for something once: what there is of each before it has anything. */
  async newTenants(count: number): Promise<void> {
    for (let made = 0; made < count; made += 1) {
      const { id } = await createOrganization(this.servers.environment);
      const key = await this.tenants.keyOf(id);
      const answer = await this.fetch('GET', '/v1/stock_levels', undefined, 'application/json', key);
      if (answer !== 200) throw new Error(`A new tenant was answered ${answer}.`);
    }
  }

  /** Resolves when the outbox is empty. */
  async published(): Promise<void> {
    const empty = async () =>
      (await this.servers.environment.query('select from outbox where published_at is null limit 1')).length === 0;
    await waitFor(empty, { what: 'the outbox to be empty', timeoutMs: TIMEOUT_MS, intervalMs: 50 });
  }

  async redisBytes(): Promise<number> {
    return Number(/^used_memory:(\d+)/m.exec(await this.redis.info('memory'))?.[1]);
  }

  /** Bytes of the database, and of log written since ever. */
  async diskBytes(): Promise<{ readonly data: number; readonly log: number }> {
    const [row] = await this.servers.environment.query<{ data: string; log: string }>(
      `select pg_database_size(current_database()) as data, pg_current_wal_insert_lsn() - '0/0' as log`,
    );
    return { data: Number(row!.data), log: Number(row!.log) };
  }

  private next(kind: RequestKind): PlannedRequest {
    for (;;) {
      const request = someRequest(this.tenant, this.random);
      if (request.kind === kind) return request;
    }
  }

  private async jobsEnded(): Promise<void> {
    const ended = async () =>
      (await this.servers.environment.query('select from jobs where finished_at is null limit 1')).length === 0;
    await waitFor(ended, { what: 'the jobs to end', timeoutMs: TIMEOUT_MS, intervalMs: 50 });
  }

  private async fetch(
    method: string,
    path: string,
    body: string | undefined,
    type: string,
    key = this.tenant.key,
  ): Promise<number> {
    const answer = await fetch(`${this.api.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body !== undefined && { 'content-type': type, 'idempotency-key': idempotencyKey() }),
      },
      ...(body !== undefined && { body }),
    });
    await answer.arrayBuffer();
    return answer.status;
  }
}
