/** Redis: clients by purpose, key names, and Lua scripts that are loaded once and called by their SHA. */
export { RedisModule } from './redis.module';
export { CACHE_REDIS, COORDINATION_REDIS, LIMITS_REDIS, QUEUE_REDIS } from './redis.constants';
export { connectRedis, isConnected, type RedisClient, redisListener, redisMasters } from './redis-client';
export { addressOf, anyServer, keepAlive } from './any-server';
export { type ServerListener, ServerWatch } from './server-watch';
export { keyServerOptions } from './key-server';
export { redisRunIds } from './run-ids';
export { keySlot, serverOfKey } from './key-slot';
export { clusterOptions, redisOptions, type RedisPurpose } from './redis-options';
export { redisKey } from './redis-key';
export { sentinelOptions } from './sentinel-options';
export { LuaScript } from './lua-script';
