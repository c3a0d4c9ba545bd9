/** Every bench that `npm run bench` knows. */
import type { Bench } from '../harness/bench';
import { LANES_BENCH } from './lanes.bench';
import { ORDERS_BENCH } from './orders.bench';
import { UUID_BENCH } from './uuid.bench';

export const BENCHES: readonly Bench[] = [LANES_BENCH, ORDERS_BENCH, UUID_BENCH];
