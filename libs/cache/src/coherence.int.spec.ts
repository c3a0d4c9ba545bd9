import { newId } from '#libs/kernel';
import { type LocalRedis, startLocalRedis } from '#libs/testing';
import { Redis } from 'ioredis';
import { expectCoherence } from '../test/coherence';

describe('what processes read of a cached value', () => {
  let server: LocalRedis;
  let redis: Redis;

  beforeAll(async () => {
    server = await startLocalRedis();
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.remove();
  });

  it(
    'is never older than an invalidation that returned before, from Redis, nor than the life of memory lets it be',
    () => expectCoherence(server.url, redis, newId()),
    60_000,
  );
});
