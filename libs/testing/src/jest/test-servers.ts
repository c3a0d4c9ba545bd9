/** How the global setup hands its servers to the specs: by environment variables, which jest's workers inherit. */
import type { LocalPostgres, LocalPostgresReplica, LocalRedis } from '../../../local-stack/src';

export interface TestServers {
  readonly postgres: LocalPostgres;
  readonly replica: LocalPostgresReplica;
  readonly redis: LocalRedis;
}

export const SERVER_VARIABLES = {
  postgres: 'STOCKYARD_TEST_POSTGRES_URL',
  replica: 'STOCKYARD_TEST_REPLICA_URL',
  redis: 'STOCKYARD_TEST_REDIS_URL',
} as const;

/** Set in jest projects whose processes reach Postgres through a pooler. */
export const POOLER_VARIABLES = {
  postgres: 'STOCKYARD_TEST_POOLER_URL',
  replica: 'STOCKYARD_TEST_REPLICA_POOLER_URL',
} as const;
