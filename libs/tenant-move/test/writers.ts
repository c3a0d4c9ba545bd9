/**
 * Writers as the api has them: they know the directory, enter by enter_write in the transaction of the write, read the
 * directory anew when they are refused, and remember every write that was acknowledged.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { roleUrl } from '#libs/config';
import { newId } from '#libs/kernel';
import { Client } from 'pg';
import type { TwoShards } from './two-shards';

const REFUSED = 'SY003';
const REASON = 'written meanwhile';

export interface WritersOptions {
  readonly organizationId: string;
  readonly writers: number;
  readonly writesPerSecond: number;
}

/** Counter: one stock level that every write adds 1 to, with one movement and one message each. */
interface Counter {
  readonly productId: string;
  readonly locationId: string;
}

export class Writers {
  readonly acknowledged: string[] = [];
  readonly failures: unknown[] = [];
  private readonly times: number[] = [];
  private running: Promise<unknown> | undefined;
  private stopping = false;
  private startedAt = 0;
  private counter!: Counter;

  constructor(
    private readonly shards: TwoShards,
    private readonly options: WritersOptions,
  ) {}

  async start(): Promise<void> {
    const [row] = await this.shards.home.query<{ product_id: string; location_id: string }>(
      'select product_id, location_id from stock_levels where organization_id = $1 limit 1',
      [this.options.organizationId],
    );
    this.counter = { productId: row!.product_id, locationId: row!.location_id };
    await this.shards.home.query(
      'update stock_levels set available = 0 where organization_id = $1 and product_id = $2 and location_id = $3',
      [this.options.organizationId, this.counter.productId, this.counter.locationId],
    );
    this.startedAt = performance.now();
    this.running = Promise.all(Array.from({ length: this.options.writers }, () => this.write()));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  get perSecond(): number {
    return (this.acknowledged.length / (this.times.at(-1)! - this.startedAt)) * 1000;
  }

  /** Longest time in milliseconds during which no write at all was acknowledged. */
  get longestPauseMs(): number {
    const sorted = [...this.times].sort((a, b) => a - b);
    return Math.round(Math.max(...sorted.slice(1).map((time, at) => time - sorted[at]!)));
  }

  /** What must hold on the shard where the tenant now lives: every acknowledged write once, and no other. */
  async proof(shard: 'main' | 'two'): Promise<{ lost: number; doubled: number; foreign: number; counted: number }> {
    const environment = shard === 'main' ? this.shards.home : this.shards.two;
    const id = this.options.organizationId;
    const [row] = await environment.query<{ lost: string; doubled: string; foreign: string; counted: string }>(
      `with written as (select id from stock_movements where organization_id = $1 and reason = $3),
        messages as (select aggregate_id as id from outbox where organization_id = $1 and topic = $3)
       select (select count(*) from unnest($2::uuid[]) a where a not in (select id from written) or a not in (select id from messages)) as lost,
        (select count(*) - count(distinct id) from messages) as doubled,
        (select count(*) from written where id <> all ($2::uuid[])) as foreign,
        (select available from stock_levels where organization_id = $1 and product_id = $4 and location_id = $5) as counted`,
      [id, this.acknowledged, REASON, this.counter.productId, this.counter.locationId],
    );
    return Object.fromEntries(Object.entries(row!).map(([name, value]) => [name, Number(value)])) as Awaited<
      ReturnType<Writers['proof']>
    >;
  }

  private async write(): Promise<void> {
    const { home, two } = this.shards;
    const clients: Record<string, Client> = {
      main: new Client({ connectionString: roleUrl(home.config, 'app') }),
      two: new Client({ connectionString: roleUrl(two.config, 'app') }),
    };
    const control = new Client({ connectionString: roleUrl(home.config, 'control') });
    for (const client of [...Object.values(clients), control]) {
      client.on('error', () => undefined); // told by the statement under way
      await client.connect();
    }
    const everyMs = (1000 * this.options.writers) / this.options.writesPerSecond;
    let entry = await this.directory(control);
    for (let turn = 0; !this.stopping; turn += 1) {
      const due = this.startedAt + turn * everyMs;
      await delay(Math.max(0, due - performance.now()));
      const id = newId();
      try {
        while (!(await this.writeOnce(clients[entry.shard]!, entry.epoch, id, turn))) {
          await delay(5);
          entry = await this.directory(control);
        }
        this.acknowledged.push(id);
        this.times.push(performance.now());
      } catch (error) {
        this.failures.push(error);
        break;
      }
    }
    await Promise.all([...Object.values(clients), control].map((client) => client.end()));
  }

  private async directory(control: Client): Promise<{ shard: string; epoch: number }> {
    const { rows } = await control.query<{ shard: string; epoch: number }>(
      "select coalesce(shard, 'main') as shard, epoch from organizations where id = $1",
      [this.options.organizationId],
    );
    return rows[0]!;
  }

  /** False where the place refused the writer; nothing was executed then. */
  private async writeOnce(client: Client, epoch: number, id: string, turn: number): Promise<boolean> {
    try {
      await client.query(`begin; select enter_write('${this.options.organizationId}', ${epoch})`);
      await this.change(client, id);
      if (turn % 5 === 0) await this.changeOthers(client, turn);
      await client.query('commit');
      return true;
    } catch (error) {
      await client.query('rollback');
      if ((error as { code?: string }).code === REFUSED) return false;
      throw error;
    }
  }

  private async change(client: Client, id: string): Promise<void> {
    const { productId, locationId } = this.counter;
    await client.query({
      name: 'change',
      text: `with movement as (
          insert into stock_movements (organization_id, id, product_id, location_id, type, reason, actor_type, occurred_at, available_change)
          values ($1, $2, $3, $4, 'adjustment', $5, 'system', now(), 1)),
        message as (insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
          values ($1, new_id(), $5, 'movement', $2, '{}'))
        update stock_levels set available = available + 1, version = version + 1
        where organization_id = $1 and product_id = $3 and location_id = $4`,
      values: [this.options.organizationId, id, productId, locationId, REASON],
    });
  }

  /** Updates beside TOASTed values, deletions with their cascade, and a row that comes and goes. */
  private async changeOthers(client: Client, turn: number): Promise<void> {
    const { organizationId } = this.options;
    await client.query(
      `update jobs set processed = processed + 1 where (organization_id, id) in
       (select organization_id, id from jobs where organization_id = $1 order by id limit 1)`,
      [organizationId],
    );
    await client.query(
      `with made as (insert into jobs (organization_id, id, type, class, payload, actor_type)
         values ($1, new_id(), 'passing', 'low', '{}', 'system') returning id)
       insert into job_line_errors (organization_id, job_id, line, code, message) select $1, id, 1, 'c', 'm' from made`,
      [organizationId],
    );
    if (turn % 10 === 0) {
      await client.query("delete from jobs where organization_id = $1 and type = 'passing'", [organizationId]);
      await client.query(
        `update idempotency_keys set key = key || '+' where organization_id = $1 and key =
         (select min(key) from idempotency_keys where organization_id = $1 and length(key) < 200)`,
        [organizationId],
      );
    }
  }
}
