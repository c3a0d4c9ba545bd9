/** Servers and a database of its own for a bench: real Postgres and Redis on this machine, gone with the bench. */
import { type LocalPostgres, type LocalRedis, startLocalPostgres, startLocalRedis } from '#libs/local-stack';
import { createTestEnvironment, type TestEnvironment } from '#libs/testing';

export interface BenchServers {
  readonly environment: TestEnvironment;
  readonly postgres: LocalPostgres;
  readonly redis: LocalRedis;
  close(): Promise<void>;
}

export interface BenchServersOptions {
  /** Of the environment's variables. */
  readonly overrides?: Readonly<Record<string, string>>;
  /** With fsync, as in production: without it, a ratio tells of processors and round trips, not of the disk. */
  readonly durable: boolean;
}

export async function startBenchServers({ overrides = {}, durable }: BenchServersOptions): Promise<BenchServers> {
  const [postgres, redis] = await Promise.all([
    startLocalPostgres({ password: 'bench-superuser', throwaway: !durable }),
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
      postgres,
      redis,
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
