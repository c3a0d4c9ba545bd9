/** End check: ids of other organizations answer exactly as an id that nobody has. */
import { newId } from '#libs/kernel';
import type { ApiResponse } from '../client/http-client';
import type { StockyardApi } from '../client/stockyard-api';
import type { Mismatches } from '../run/mismatches';
import type { ReplayedOrganization } from '../run/replayed-organization';

/** What an organization owns. */
export interface OwnedIds {
  readonly organization: Pick<ReplayedOrganization, 'country' | 'key'>;
  readonly orders: readonly string[];
  readonly products: readonly string[];
}

interface Probe {
  readonly reader: OwnedIds['organization'];
  readonly owner: OwnedIds['organization'];
  readonly path: 'orders' | 'products';
  readonly id: string;
}

const PROBES = 100;

/** Up to `count` ids, half orders and half products where there are enough, each read by another organization's key. */
export function wallProbes(owned: readonly OwnedIds[], count = PROBES): Probe[] {
  const probes: Probe[] = [];
  if (owned.length < 2) return probes;
  const deepest = Math.max(...owned.flatMap(({ orders, products }) => [orders.length, products.length]));
  for (let depth = 0; depth < deepest && probes.length < count; depth += 1) {
    for (const [index, { organization: owner, ...ids }] of owned.entries()) {
      const reader = owned[(index + 1 + (depth % (owned.length - 1))) % owned.length]!.organization;
      for (const path of ['orders', 'products'] as const) {
        const id = ids[path][depth];
        if (id !== undefined) probes.push({ reader, owner, path, id });
      }
    }
  }
  return probes.slice(0, count);
}

/** The answer as text, without what differs between any two requests. */
function comparable({ status, body }: ApiResponse, id: string): string {
  const fields = Object.entries((body ?? {}) as Record<string, unknown>).filter(([name]) => name !== 'request_id');
  return `${status} ${JSON.stringify(fields).replaceAll(id, '<id>')}`;
}

/** Asks for each id with a foreign key. Resolves with the number of probes. */
export async function checkWall(
  api: StockyardApi,
  owned: readonly OwnedIds[],
  mismatches: Mismatches,
): Promise<number> {
  const probes = wallProbes(owned);
  for (const { reader, owner, path, id } of probes) {
    const nobodys = newId();
    const foreign = await api.look(reader.key, `/v1/${path}/${id}`);
    const unknown = await api.look(reader.key, `/v1/${path}/${nobodys}`);
    const where = `${path}/${id} of ${owner.country} read by ${reader.country}`;
    mismatches.compare(`${where}, status`, foreign.status, 404);
    if (comparable(foreign, id) !== comparable(unknown, nobodys)) {
      mismatches.add(`${where}: answered otherwise than an unknown id`);
    }
  }
  return probes.length;
}
