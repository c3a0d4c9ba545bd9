/** The jobs of this library. */
import { ALERT_JOBS } from './alerts/low-stock.jobs';
import { RECONCILE_JOBS } from './reconcile/reconcile.jobs';

export const INVENTORY_JOBS = [...RECONCILE_JOBS, ...ALERT_JOBS] as const;
