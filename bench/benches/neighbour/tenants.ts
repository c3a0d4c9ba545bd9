/** Organizations of a tier with stock and a key, and what the bench does to one of them behind the api's back. */
import { redisKey } from '#libs/redis';
import type { Tier } from '#libs/tenancy';
import { createOrganization, type TestEnvironment } from '#libs/testing';
import type { Redis } from 'ioredis';
import type { PlatformProcess } from '../../harness/platform-process';
import { type Caller, JOB_TYPE } from './requests';

const PRODUCTS = 1_000;
const STOCK = 1_000_000_000;

export interface Tenant extends Caller {
  readonly organizationId: string;
}

export class Tenants {
  constructor(
    private readonly environment: TestEnvironment,
    private readonly api: PlatformProcess,
    private readonly redis: Redis,
  ) {}

  /** `limits`: overrides, by their names in the api. */
  async make(tenant: number, tier: Tier, limits: Readonly<Record<string, number>> = {}): Promise<Tenant> {
    const { id: organizationId } = await createOrganization(this.environment, { tier });
    const products = await this.addStock(organizationId);
    await this.limit(organizationId, limits);
    const key = await this.keyOf(organizationId);
    const [productIds, skus] = [products.map(({ id }) => id), products.map(({ sku }) => sku)];
    return { tenant, organizationId, key, productIds, skus };
  }

  /** A new key of an owner. */
  async keyOf(organizationId: string): Promise<string> {
    const asked = { name: 'bench', role: 'owner' };
    return (await this.asOperator<{ key: string }>('POST', `${organizationId}/api_keys`, asked)).key;
  }

  /**
   * Has it begin with an unused minute. What the api remembers as used up belongs to a limit, so the limit changes with it, by one
   * request more a minute each time.
   */
  async refreshMinute({ organizationId }: Tenant, requestsPerMinute: number): Promise<void> {
    await this.redis.del(redisKey(this.environment.config.REDIS_KEY_PREFIX, 'limits', organizationId, 'api'));
    await this.limit(organizationId, { requests_per_minute: requestsPerMinute });
  }

  /** Fills its queue up to so many waiting jobs, with the rows that the api would write for each. */
  async fillQueue({ organizationId }: Tenant, waiting: number): Promise<void> {
    await this.environment.query(
      `with made as (
         insert into jobs (organization_id, id, type, class, payload, actor_type, priority)
         select $1, new_id(), $3, 'normal', '{"version": 1, "data": {}}', 'system', 5
         from generate_series(1, $2 - (select count(*) from jobs where organization_id = $1 and state = 'queued'))
         returning id)
       insert into outbox (organization_id, id, topic, aggregate_type, aggregate_id, payload)
       select $1, id, 'job.queued', 'job', id,
         jsonb_build_object('job_id', id, 'organization_id', $1::text, 'type', $3::text, 'version', 1) from made`,
      [organizationId, waiting, JOB_TYPE],
    );
  }

  /** Products with stock, and movements that it is the sum of. */
  private async addStock(organizationId: string): Promise<{ id: string; sku: string }[]> {
    return this.environment.query<{ id: string; sku: string }>(
      `with product as (
         insert into products (organization_id, id, sku, name, price_minor, currency)
         select $1, new_id(), (10000 + number)::text, 'Product ' || number, 255, 'GBP'
         from generate_series(0, $2 - 1) number returning id, sku),
       level as (
         insert into stock_levels (organization_id, product_id, location_id, available)
         select $1, product.id, location.id, $3 from product, locations location
         where location.organization_id = $1 and location.is_default returning product_id, location_id),
       moved as (
         insert into stock_movements (organization_id, id, product_id, location_id, type, reason, actor_type, occurred_at, available_change)
         select $1, new_id(), product_id, location_id, 'adjustment', 'opening', 'system', now(), $3 from level)
       select id, sku from product order by sku`,
      [organizationId, PRODUCTS, STOCK],
    );
  }

  private async limit(organizationId: string, limits: Readonly<Record<string, number>>): Promise<void> {
    if (Object.keys(limits).length > 0) await this.asOperator('PUT', `${organizationId}/limits`, limits);
  }

  private async asOperator<T>(method: 'POST' | 'PUT', path: string, body: object): Promise<T> {
    const answer = await fetch(`${this.api.url}/v1/admin/organizations/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.environment.config.ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}
