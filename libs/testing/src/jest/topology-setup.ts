/**
 * As the global setup, on the oldest supported Postgres and a native Redis, with a PgBouncer in transaction mode before
 * primary and replica for the project `pooled`; fails first where a program is missing.
 */
import { startLocalPgBouncer } from '../../../local-stack/src';
import globalSetup from './global-setup';
import { findProgram, OLDEST_POSTGRES, REQUIRED_PROGRAMS, requirePrograms } from './required-programs';
import { POOLER_VARIABLES, SERVER_VARIABLES } from './test-servers';

/** Server connections for each role and database: fewer than a process under test opens. */
const POOL_SIZE = 6;

export default async function topologySetup(): Promise<void> {
  requirePrograms();
  process.env.STOCKYARD_PG_BIN = OLDEST_POSTGRES;
  await globalSetup();
  const program = findProgram(REQUIRED_PROGRAMS.find(({ name }) => name === 'pgbouncer')!)!;
  for (const server of ['postgres', 'replica'] as const) {
    const serverUrl = process.env[SERVER_VARIABLES[server]]!;
    const pooler = await startLocalPgBouncer({ program, serverUrl, poolSize: POOL_SIZE });
    globalThis.stockyardTestServers?.poolers.push(pooler);
    const url = new URL(serverUrl);
    url.port = String(pooler.port);
    process.env[POOLER_VARIABLES[server]] = url.toString();
  }
}
