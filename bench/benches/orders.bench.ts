/**
 * Orders through the running api against the same effect by hand: plain node-postgres that sends the statements of an
 * order one after another in a transaction of its own, on as many connections as the api has. The ratio says what is
 * left of the database's own rate after HTTP, authentication, validation, idempotency and rendering. All of it shares
 * one machine, the client that sends included.
 *
 * And orders of an organization all of whose levels have a threshold that they do not reach, against one without thresholds:
 * what the look-out for low stock costs.
 */
import { roleUrl } from '#libs/config';
import { DATABASE_TYPES } from '#libs/database';
import { newId } from '#libs/kernel';
import { type TestEnvironment } from '#libs/testing';
import { Pool } from 'pg';
import { HttpClient } from '../../tools/replay/client/http-client';
import { StockyardApi } from '../../tools/replay/client/stockyard-api';
import type { GoodsLine, OrderOperation } from '../../tools/replay/model/operation';
import { startApiProcess } from '../harness/platform-process';
import type { Bench } from '../harness/bench';
import { inFlight } from '../harness/parallel';
import { startBenchServers } from '../harness/servers';
import { orderByHand } from './order-by-hand';

const CONNECTIONS = 8;
const IN_FLIGHT = 16;
const PRODUCTS = 1_000;
const LINES = 5;
const STOCK = 1_000_000_000;
const THRESHOLD = 100;

const sku = (number: number): string => String(10_000 + number);

function someLines(): GoodsLine[] {
  const first = Math.floor(Math.random() * PRODUCTS);
  return Array.from({ length: LINES }, (_, index) => {
    return { kind: 'goods', sku: sku((first + index * 7) % PRODUCTS), quantity: 1, unit_price_minor: 255 };
  });
}

/** An order of five lines, any of the products of addStock(). */
export function someOrder(): OrderOperation {
  const lines = someLines();
  const changes = new Map(lines.map((line) => [line.sku, -line.quantity]));
  const occurredAt = new Date().toISOString();
  return {
    kind: 'order',
    reference: 'bench',
    customer: '',
    occurredAt,
    lines,
    changes,
    totalMinor: 0,
    sourceLines: LINES,
  };
}

/** Products with plenty of stock. */
export async function addStock(
  environment: TestEnvironment,
  organizationId: string,
  threshold: number | null,
): Promise<void> {
  await environment.query(
    `with product as (
       insert into products (organization_id, id, sku, name, price_minor, currency)
       select $1, gen_random_uuid(), (10000 + number)::text, 'Product ' || number, 255, 'GBP'
       from generate_series(0, $2 - 1) number returning id)
     insert into stock_levels (organization_id, product_id, location_id, available, low_stock_threshold)
     select $1, product.id, location.id, $3, $4 from product, locations location
     where location.organization_id = $1 and location.is_default`,
    [organizationId, PRODUCTS, STOCK, threshold],
  );
  await environment.query('analyze products, stock_levels');
}

export const ORDERS_BENCH: Bench = {
  name: 'orders',
  about: `POST /v1/orders of ${LINES} lines through one api process against its statements by hand; ${CONNECTIONS} connections each.`,
  async *compare() {
    await using opened = new AsyncDisposableStack();
    const servers = await startBenchServers({
      overrides: { DATABASE_POOL_SIZE: String(CONNECTIONS) },
      durable: false,
    });
    opened.defer(() => servers.close());
    const { environment } = servers;
    const { url, stop } = await startApiProcess(environment);
    opened.defer(stop);
    const http = new HttpClient(url, IN_FLIGHT);
    opened.defer(() => http.close());
    const api = new StockyardApi(http, environment.config.ADMIN_TOKEN);
    const stocked = async (threshold: number | null) => {
      const made = await api.createOrganization(`bench-${newId().slice(-12)}`, 'Bench');
      await addStock(environment, made.id, threshold);
      return made;
    };
    const organization = await stocked(null);
    const connectionString = roleUrl(environment.config, 'app');
    const pool = new Pool({ connectionString, max: CONNECTIONS, types: DATABASE_TYPES });
    opened.defer(() => pool.end());
    const throughApi = async (key = organization.key): Promise<void> => {
      const { accepted } = await api.perform(key, someOrder(), newId());
      if (!accepted) throw new Error('An order was refused although stock is plentiful.');
    };
    const byHand = (): Promise<void> => orderByHand(pool, organization.id, someLines());
    yield {
      name: 'order',
      subject: { name: 'api', run: (operations) => inFlight(IN_FLIGHT, operations, () => throughApi()) },
      reference: { name: 'by_hand', run: (operations) => inFlight(IN_FLIGHT, operations, byHand) },
    };
    const [plain, watched] = [await stocked(null), await stocked(THRESHOLD)];
    yield {
      name: 'order_watched',
      subject: {
        name: 'thresholds',
        run: (operations) => inFlight(IN_FLIGHT, operations, () => throughApi(watched.key)),
      },
      reference: { name: 'none', run: (operations) => inFlight(IN_FLIGHT, operations, () => throughApi(plain.key)) },
    };
  },
};
