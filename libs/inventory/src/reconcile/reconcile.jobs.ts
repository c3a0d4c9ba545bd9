/**
 * Reconciliation of levels with their movements. Tenants may look for differences; to repair is another type, which nobody can
 * ask for but the operators' endpoint, whatever becomes of payloads.
 */
import { closed, shape } from '#libs/kernel';
import { defineJob } from '#libs/queues';

const NOTHING = shape(closed({}));
const LONG_MS = 6 * 3_600_000;

export const INVENTORY_RECONCILE = defineJob({
  type: 'inventory.reconcile',
  version: 1,
  payload: NOTHING,
  timeoutMs: LONG_MS,
  cost: 5,
  creatable: true,
  schedulable: true,
});

export const INVENTORY_REPAIR = defineJob({
  type: 'inventory.repair',
  version: 1,
  payload: NOTHING,
  timeoutMs: LONG_MS,
  cost: 5,
});

export const RECONCILE_JOBS = [INVENTORY_RECONCILE, INVENTORY_REPAIR] as const;
