/** Servers and a database of its own for a bench: real Postgres and Redis on this machine, gone with the bench. */
import { startLocalPostgres, startLocalRedis } from '#libs/local-stack';
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';

export interface BenchServers {
  readonly environment: TestEnvironment;
  close(): Promise<void>;
}

/**
 * Starts servers without fsync, so that a ratio tells of processors and round trips, not of the disk. There is no replica:
 * what is compared with a plain client goes to the same server.
 */
export async function startBenchServers(overrides: Readonly<Record<string, string>> = {}): Promise<BenchServers> {
  const [postgres, redis] = await Promise.all([
    startLocalPostgres({ password: 'bench-superuser', throwaway: true }),
    startLocalRedis(),
  ]);
  const close = async (): Promise<void> => {
    await Promise.all([postgres.remove(), redis.remove()]);
  };
  try {
    process.env.STOCKYARD_TEST_POSTGRES_URL = postgres.url();
    process.env.STOCKYARD_TEST_REPLICA_URL = postgres.url();
    process.env.STOCKYARD_TEST_REDIS_URL = redis.url;
    const environment = await createTestEnvironment({ DATABASE_REPLICA_URLS: '', ...overrides });
    return {
      environment,
      close: async () => {
        await environment.dispose();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
