/** Starts the servers that all integration and end-to-end specs share: Postgres with a streaming replica, and Redis. */
import { startLocalPostgres, startLocalRedis, startLocalReplica } from '../../../local-stack/src';
import { COMPILE_CACHE } from './compile-cache';
import { SERVER_VARIABLES, type TestServers } from './test-servers';

declare global {
  var stockyardTestServers: TestServers | undefined;
}

const PASSWORD = 'test-superuser';

export default async function globalSetup(): Promise<void> {
  process.env.NODE_COMPILE_CACHE ??= COMPILE_CACHE; // for processes that inherit the environment of their spec
  const redisStarts = startLocalRedis();
  const postgres = await startLocalPostgres({ password: PASSWORD, throwaway: true });
  const [replica, redis] = await Promise.all([startLocalReplica(postgres, { throwaway: true }), redisStarts]);
  globalThis.stockyardTestServers = { postgres, replica, redis, poolers: [] };
  process.env[SERVER_VARIABLES.postgres] = postgres.url();
  process.env[SERVER_VARIABLES.replica] = replica.url();
  process.env[SERVER_VARIABLES.redis] = redis.url;
}
