/** End check: the level of every SKU against the fold, and the sum of its movements against its level. */
import type { LevelResource, MovementSums, StockyardApi } from '../client/stockyard-api';
import type { Mismatches } from '../run/mismatches';
import type { ReplayedOrganization } from '../run/replayed-organization';

/** Parts of a level that must be empty when nothing is under way, and the sums that make them up. */
const PARTS = ['available', 'held', 'allocated', 'unavailable'] as const;

const levelKey = (row: { readonly product_id: string; readonly location_id: string }): string =>
  `${row.product_id} ${row.location_id}`;

function checkParts(level: LevelResource, where: string, mismatches: Mismatches): void {
  mismatches.compare(`${where} available`, level.available, level.on_hand);
  for (const part of ['held', 'allocated', 'unavailable'] as const)
    mismatches.compare(`${where} ${part}`, level[part], 0);
}

function checkSums(level: LevelResource, sums: MovementSums | undefined, where: string, mismatches: Mismatches): void {
  mismatches.compare(`${where} level, against the sum of its movements`, level.on_hand, sums?.quantity ?? 0);
  for (const part of PARTS) {
    const summed = sums?.[`${part}_change`] ?? 0;
    mismatches.compare(`${where} ${part}, against the sum of its movements`, level[part], summed);
  }
}

/** Compares, and resolves with some product ids for the check of the wall. */
export async function checkStock(
  api: StockyardApi,
  organization: ReplayedOrganization,
  mismatches: Mismatches,
): Promise<string[]> {
  const { key, fold, country } = organization;
  const sums = new Map<string, MovementSums>();
  for await (const row of api.list<MovementSums>(key, '/v1/stock_movements/summary')) sums.set(levelKey(row), row);
  const onHand = new Map<string, number>();
  const productIds = new Set<string>();
  for await (const level of api.list<LevelResource>(key, '/v1/stock_levels')) {
    const where = `${country} ${level.sku}`;
    checkParts(level, where, mismatches);
    checkSums(level, sums.get(levelKey(level)), where, mismatches);
    sums.delete(levelKey(level));
    onHand.set(level.sku, (onHand.get(level.sku) ?? 0) + level.on_hand);
    productIds.add(level.product_id);
  }
  for (const { sku, level } of fold.states()) {
    mismatches.compare(`${country} ${sku} on_hand`, onHand.get(sku) ?? 0, level);
    onHand.delete(sku);
  }
  for (const sku of onHand.keys())
    mismatches.add(`${country} ${sku}: the platform has a level that the file does not know`);
  for (const { sku } of sums.values()) mismatches.add(`${country} ${sku}: movements without a level`);
  return [...productIds];
}
