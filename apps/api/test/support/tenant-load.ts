/**
 * Work on one tenant without pause, as the platform's processes do it: writers and readers at the gateway, orders and reads
 * over HTTP. Remembers every write that was acknowledged, every refusal, and whatever must not happen.
 *
 * The counter is one stock level: each write of the gateway adds 1 to it, with one movement and one message in the outbox. No
 * reader may ever see it go back.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { TenantDatabase, tenantRead, tenantStatement } from '#libs/database';
import { newId, StockyardError } from '#libs/kernel';
import { ConsistencyScope, TenantContextHolder } from '#libs/tenancy';
import type { TestShard } from '#libs/testing';
import { type Answer, type RunningApi, stockedProduct, type Tenant } from './api-fixture';

const TOPIC = 'load.written';

const write = tenantStatement(
  'load_write',
  `with movement as (
     insert into stock_movements (organization_id, id, product_id, location_id, type, reason, actor_type, occurred_at, available_change)
     select $1, $2, product_id, location_id, 'adjustment', '${TOPIC}', 'system', now(), 1
     from stock_levels where organization_id = $1 and product_id = $3),
   message as (
     insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
     values ($1, new_id(), '${TOPIC}', 'movement', $2, '{}'))
   update stock_levels set available = available + 1, version = version + 1
   where organization_id = $1 and product_id = $3`,
);
const read = tenantRead(
  'load_read',
  'select available::int from stock_levels where organization_id = $1 and product_id = $2',
);

export interface TenantLoadOptions {
  /** Modules of the platform inside the spec. */
  readonly app: INestApplicationContext;
  readonly api: RunningApi;
  readonly tenant: Tenant;
  readonly writers: number;
  /** Of all gateway writers together; orders come on top. */
  readonly writesPerSecond: number;
  /** Clients that order over HTTP, each one order after another. */
  readonly orderers: number;
  /** Between two orders or two reads of one client. Without it they order, and nearly read, as fast as they are answered. */
  readonly restMs?: number;
}

/** What must hold on the shard where the tenant lives: every acknowledged write once, and no other. */
export interface Proof {
  readonly lost: number;
  readonly doubled: number;
  readonly foreign: number;
  readonly uncounted: number;
  readonly orders_lost: number;
  readonly orders_foreign: number;
}

export class TenantLoad {
  readonly written: string[] = [];
  readonly orders: string[] = [];
  /** Everything that must not happen, told. */
  readonly failures: string[] = [];
  /** 503s with Retry-After, by code; each was tried again. */
  readonly refusals = new Map<string, number>();
  reads = 0;
  private readonly times: number[] = [];
  private running: Promise<unknown> | undefined;
  private stopping = false;
  private startedAt = 0;
  private counter!: { readonly id: string; readonly sku: string };
  private goods!: { readonly sku: string };

  constructor(private readonly options: TenantLoadOptions) {}

  /** One of the readers sends a token of before with every read: a client that kept it from long ago. */
  async start(): Promise<void> {
    const { api, tenant, writers, orderers } = this.options;
    this.counter = await stockedProduct(api, tenant, 1);
    this.goods = await stockedProduct(api, tenant, 1_000_000);
    const oldToken = (await this.ask()).headers.get('x-consistency-token')!;
    this.startedAt = performance.now();
    this.running = Promise.all([
      ...Array.from({ length: writers }, (_, index) => this.writeOn(index)),
      ...Array.from({ length: orderers }, () => this.orderOn()),
      this.readOn(new ConsistencyScope()),
      this.readOn(undefined),
      this.readOverHttp({}),
      this.readOverHttp({ 'x-consistency-token': oldToken }),
    ]);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  /** Resolves once `more` writes than now have been acknowledged. */
  async goesOn(more: number): Promise<void> {
    const wanted = this.times.length + more;
    while (this.times.length < wanted && this.failures.length === 0) await delay(10);
  }

  get perSecond(): number {
    return (this.times.length / (Math.max(...this.times) - this.startedAt)) * 1_000;
  }

  /** Longest time in milliseconds during which no write at all was acknowledged. */
  get longestGapMs(): number {
    const sorted = [...this.times].sort((a, b) => a - b);
    return Math.round(Math.max(...sorted.slice(1).map((time, at) => time - sorted[at]!)));
  }

  toString(): string {
    const refused = [...this.refusals].map(([code, count]) => `${count} ${code}`).join(', ') || 'none';
    return (
      `${this.perSecond.toFixed(0)} writes/s (${this.written.length} at the gateway, ${this.orders.length} orders), ` +
      `${this.reads} reads, longest gap between acknowledged writes ${this.longestGapMs} ms, refused for now: ${refused}`
    );
  }

  async proof({ query }: TestShard): Promise<Proof> {
    const [row] = await query<Record<keyof Proof, string>>(
      `with movements as (select id from stock_movements where organization_id = $1 and reason = $2),
         messages as (select aggregate_id as id from outbox where organization_id = $1 and topic = $2),
         ordered as (select id from orders where organization_id = $1)
       select (select count(*) from unnest($3::uuid[]) a
           where a not in (select id from movements) or a not in (select id from messages)) as lost,
         (select count(*) - count(distinct id) from movements) + (select count(*) - count(distinct id) from messages) as doubled,
         (select count(*) from movements where id <> all ($3::uuid[])) as foreign,
         (select available - 1 - cardinality($3::uuid[]) from stock_levels where organization_id = $1 and product_id = $5) as uncounted,
         (select count(*) from unnest($4::uuid[]) a where a not in (select id from ordered)) as orders_lost,
         (select count(*) from ordered where id <> all ($4::uuid[])) as orders_foreign`,
      [this.options.tenant.id, TOPIC, this.written, this.orders, this.counter.id],
    );
    return Object.fromEntries(Object.entries(row!).map(([name, value]) => [name, Number(value)])) as unknown as Proof;
  }

  private async writeOn(index: number): Promise<void> {
    const { writers, writesPerSecond } = this.options;
    const everyMs = (1_000 * writers) / writesPerSecond;
    for (let due = this.startedAt + (index * everyMs) / writers; !this.stopping; due += everyMs) {
      await delay(Math.max(0, due - performance.now()));
      const id = newId();
      if (!(await this.untilTaken(() => this.atGateway(write(id, this.counter.id))))) return;
      this.written.push(id);
      this.times.push(performance.now());
    }
  }

  /** False once something else than "not now" was answered. */
  private async untilTaken(attempt: () => Promise<unknown>): Promise<boolean> {
    for (;;) {
      try {
        await attempt();
        return true;
      } catch (error) {
        const known = error instanceof StockyardError ? error : undefined;
        if (known?.category !== 'unavailable' || !known.retryAfterSeconds) {
          this.failures.push(`write: ${String(error)}`);
          return false;
        }
        this.refused(known.code);
        await delay(20);
      }
    }
  }

  private async orderOn(): Promise<void> {
    const { api, tenant, restMs } = this.options;
    const body = {
      currency: 'GBP',
      advance_to: 'allocated',
      lines: [{ kind: 'goods', sku: this.goods.sku, quantity: 1 }],
    };
    for (let key = newId(); !this.stopping;) {
      const answer = await tenant.call(api, 'POST', '/v1/orders', { key, body });
      if (answer.status === 201) {
        this.orders.push((answer.body as { id: string }).id);
        this.times.push(performance.now());
        key = newId();
        if (restMs !== undefined) await delay(restMs);
      } else if (answer.status === 503 && answer.headers.get('retry-after')) {
        this.refused((answer.body as { code: string }).code);
        await delay(20);
      } else {
        this.failures.push(`order: ${answer.status} ${JSON.stringify(answer.body)}`);
        return;
      }
    }
  }

  /** Reads at the gateway; with a scope, as one caller who remembers what it has seen. */
  private async readOn(scope: ConsistencyScope | undefined): Promise<void> {
    for (let seen = 0; !this.stopping;) {
      try {
        const rows = await this.atGateway<{ available: number }>(read(this.counter.id), scope);
        seen = this.sees('gateway', seen, rows[0]?.available);
      } catch (error) {
        this.failures.push(`read: ${String(error)}`);
        return;
      }
      await delay(this.options.restMs ?? 2);
    }
  }

  private async readOverHttp(headers: Readonly<Record<string, string>>): Promise<void> {
    for (let seen = 0; !this.stopping;) {
      const { status, body } = await this.ask(headers);
      const { data = [] } = body as { data?: { available: number }[] };
      if (status !== 200) {
        this.failures.push(`read over HTTP: ${status} ${JSON.stringify(body)}`);
        return;
      }
      seen = this.sees('HTTP', seen, data[0]?.available);
      await delay(this.options.restMs ?? 5);
    }
  }

  private ask(headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const { api, tenant } = this.options;
    return tenant.call(api, 'GET', `/v1/stock_levels?sku=${this.counter.sku}`, { headers });
  }

  private sees(how: string, before: number, now: number | undefined): number {
    this.reads += 1;
    if (now === undefined || now < before) this.failures.push(`${how} went back from ${before} to ${String(now)}`);
    return now ?? before;
  }

  private refused(code: string): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
  }

  private atGateway<Row>(statement: Parameters<TenantDatabase['statement']>[0], consistency?: ConsistencyScope) {
    const context = {
      organizationId: this.options.tenant.id,
      actor: { type: 'system', id: null },
      permissions: new Set<string>(),
      requestId: newId(),
      consistency: consistency ?? new ConsistencyScope(),
    } as const;
    const { app } = this.options;
    return app.get(TenantContextHolder).run(context, () => app.get(TenantDatabase).statement<Row>(statement));
  }
}
