// Whether the Redis that REDIS_URL names is there, asked before anything is started on it; of a cluster any node that it names.
import { redisServers } from '#libs/config';
import { Redis } from 'ioredis';
import { StackError } from './stack-error';

const PATIENCE_MS = 3_000;

/** Throws a StackError that names the place, and neither user nor password. */
export async function requireRedis(url: string): Promise<void> {
  const asked = await Promise.allSettled(redisServers(url).urls.map(requireServer));
  const refused = asked.find((each) => each.status === 'rejected');
  if (refused && asked.every(({ status }) => status === 'rejected')) throw refused.reason;
}

async function requireServer(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: PATIENCE_MS, retryStrategy: () => null });
  let reason: Error | undefined;
  redis.on('error', (error: Error) => (reason = error));
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    const { host = '', port = '' } = redis.options;
    const { code, message } = (reason ?? error) as Error & { code?: string };
    throw new StackError(
      `REDIS_URL: the Redis at ${host}:${port} does not answer (${code ?? message}). Start it, or leave REDIS_URL out for one that is started here.`,
      1,
      { cause: error },
    );
  } finally {
    redis.disconnect();
  }
}
