/** Every bench that `npm run bench` knows. */
import type { Bench } from '../harness/bench';
import { CACHE_BENCH } from './cache.bench';
import { DATABASE_BENCH } from './database.bench';
import { IMPORT_BENCH } from './import.bench';
import { LIMITS_BENCH } from './limits.bench';
import { NEIGHBOUR_BENCH } from './neighbour.bench';
import { ORDERS_BENCH } from './orders.bench';
import { OUTBOX_BENCH } from './outbox.bench';
import { QUEUES_BENCH } from './queues.bench';
import { SCRAPE_BENCH } from './scrape.bench';
import { SIZING_BENCH } from './sizing.bench';
import { TRACES_BENCH } from './traces.bench';
import { UUID_BENCH } from './uuid.bench';

export const BENCHES: readonly Bench[] = [
  CACHE_BENCH,
  DATABASE_BENCH,
  IMPORT_BENCH,
  LIMITS_BENCH,
  NEIGHBOUR_BENCH,
  ORDERS_BENCH,
  OUTBOX_BENCH,
  QUEUES_BENCH,
  SCRAPE_BENCH,
  SIZING_BENCH,
  TRACES_BENCH,
  UUID_BENCH,
];
