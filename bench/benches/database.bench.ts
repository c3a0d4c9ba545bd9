/**
 * The lanes of the tenant gateway against raw node-postgres (database/raw.ts): the same SQL with the same predicate on the
 * organization, as many connections, as many operations under way, one server with its usual durability.
 *
 * - statement: `pool.query` of a row by key, of a page of twenty, of an insert
 * - batch of four: BEGIN, the four, COMMIT on one client, one after another; `_pipelined`: all in one go
 * - interactive, two queries: BEGIN, set_config, the two, COMMIT on one client
 *
 * All named statements of the reference are prepared; where the way in cannot keep them (PgBouncer), none is on either side.
 * Rates are with IN_FLIGHT operations under way. `far` compares the median times of single operations.
 */
import type { Bench } from '../harness/bench';
import { startBenchServers } from '../harness/servers';
import { CONNECTIONS, IN_FLIGHT, SETTINGS } from './database/settings';
import { benchOrganization } from './database/work';

export const DATABASE_BENCH: Bench = {
  name: 'database',
  about: `the lanes of TenantDatabase against raw node-postgres; ${CONNECTIONS} connections each, ${IN_FLIGHT} operations under way.`,
  async *compare() {
    await using opened = new AsyncDisposableStack();
    const servers = await startBenchServers({ durable: true });
    opened.defer(() => servers.close());
    const organization = await benchOrganization(servers.environment);
    for (const setting of SETTINGS) yield* setting({ servers, organization });
  },
};
