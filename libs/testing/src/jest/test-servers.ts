/** How the global setup hands its servers to the specs: by environment variables, which jest's workers inherit. */
import type { LocalPgBouncer, LocalPostgres, LocalPostgresReplica, LocalRedis } from '../../../local-stack/src';

export interface TestServers {
  readonly postgres: LocalPostgres;
  readonly replica: LocalPostgresReplica;
  readonly redis: LocalRedis;
  readonly poolers: LocalPgBouncer[];
}

export const SERVER_VARIABLES = {
  postgres: 'STOCKYARD_TEST_POSTGRES_URL',
  replica: 'STOCKYARD_TEST_REPLICA_URL',
  redis: 'STOCKYARD_TEST_REDIS_URL',
} as const;

/** The same servers through PgBouncer; set by the setup of the topology specs. */
export const POOLER_VARIABLES = {
  postgres: 'STOCKYARD_TEST_POOLER_URL',
  replica: 'STOCKYARD_TEST_REPLICA_POOLER_URL',
} as const;

/** Set in the jest project whose processes reach Postgres through the poolers. */
export const THROUGH_POOLERS = 'STOCKYARD_TEST_THROUGH_POOLERS';
