/** Pools of one node: one a role, bounded, made at first use. */
import { type AppConfig, type DatabaseRole, roleUrl } from '#libs/config';
import { Pool } from 'pg';
import { DATABASE_TYPES } from '../lanes/types';

/** Roles that processes serve as; the owner only migrates. */
export type ServingRole = Exclude<DatabaseRole, 'owner'>;

const SMALL_POOL = 3;
/** A new connection has nothing prepared: a burst after a quiet minute would wait for it, and all others with it. */
const IDLE_MS = 300_000;
/** Who forgets idle connections on the way, or is gone without a word, is noticed before a request is sent into nothing. */
const KEEP_ALIVE_MS = 10_000;

export interface NodePoolOptions {
  readonly config: AppConfig;
  readonly role: ServingRole;
  /** One-host URL. */
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
}

/** Waits for a connection, or for the server to accept one, end after DATABASE_POOL_WAIT_MS. */
export function openNodePool({ config, role, url, applicationName }: NodePoolOptions): Pool {
  const pool = new Pool({
    connectionString: roleUrl(config, role, url),
    max: role === 'app' ? config.DATABASE_POOL_SIZE : SMALL_POOL,
    connectionTimeoutMillis: config.DATABASE_POOL_WAIT_MS,
    application_name: role === 'app' ? applicationName : `${applicationName}-${role}`,
    // Flights have their own deadline, and pg's would reach into them.
    ...(role === 'app' ? {} : { query_timeout: config.DATABASE_ANSWER_TIMEOUT_MS }),
    types: DATABASE_TYPES,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    idleTimeoutMillis: IDLE_MS,
  });
  pool.on('error', () => undefined); // an idle connection that broke is replaced at the next use
  pool.on('connect', (client) => client.on('error', () => undefined)); // in use: its query tells, no event ends the process
  return pool;
}
