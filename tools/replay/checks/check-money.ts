/** End check: number and money of the orders and returns of an organization, paged through the API. */
import type { OrderResource, StockyardApi } from '../client/stockyard-api';
import type { Mismatches } from '../run/mismatches';
import type { ReplayedOrganization } from '../run/replayed-organization';

interface Tally {
  count: number;
  totalMinor: number;
}

async function tally(rows: AsyncIterable<{ readonly total_minor: number }>): Promise<Tally> {
  const sum: Tally = { count: 0, totalMinor: 0 };
  for await (const row of rows) {
    sum.count += 1;
    sum.totalMinor += row.total_minor;
  }
  return sum;
}

async function* orders(api: StockyardApi, organization: ReplayedOrganization, mismatches: Mismatches) {
  const seen = new Set<string>();
  for await (const order of api.list<OrderResource>(organization.key, '/v1/orders')) {
    if (seen.has(order.id)) mismatches.add(`${organization.country} order ${order.id}: listed twice`);
    seen.add(order.id);
    mismatches.compare(`${organization.country} order ${order.id} state`, order.state, 'fulfilled');
    yield order;
  }
}

export async function checkMoney(
  api: StockyardApi,
  organization: ReplayedOrganization,
  mismatches: Mismatches,
): Promise<void> {
  const { key, fold, country } = organization;
  const sold = await tally(orders(api, organization, mismatches));
  mismatches.compare(`${country} number of orders`, sold.count, fold.totals.orders);
  mismatches.compare(`${country} revenue`, sold.totalMinor, fold.totals.revenueMinor);
  const returned = await tally(api.list<{ total_minor: number }>(key, '/v1/returns'));
  mismatches.compare(`${country} number of returns`, returned.count, fold.totals.returns);
  mismatches.compare(`${country} value of returns`, returned.totalMinor, fold.totals.returnedMinor);
}
