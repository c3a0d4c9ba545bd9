/**
 * Jobs of low stock. `inventory.low_stock` is made by the database, in the transaction in which a level crosses its threshold
 * (migrations/1764000018000-stock-alerts.ts names its type, class and version). `inventory.check_alerts` is the floor under it:
 * it compares every level with its threshold, whatever anybody has noted.
 */
import { closed, shape } from '#libs/kernel';
import { defineJob } from '#libs/queues';

const NOTHING = shape(closed({}));

export const LOW_STOCK = defineJob({ type: 'inventory.low_stock', version: 1, payload: NOTHING });

export const CHECK_ALERTS = defineJob({
  type: 'inventory.check_alerts',
  version: 1,
  payload: NOTHING,
  timeoutMs: 6 * 3_600_000,
  cost: 5,
  creatable: true,
  schedulable: true,
});

export const ALERT_JOBS = [LOW_STOCK, CHECK_ALERTS] as const;
