/** Injection tokens of the clients. Cache and limits may lose data; the queue's server must not evict. */
export const QUEUE_REDIS = Symbol('QUEUE_REDIS');
export const CACHE_REDIS = Symbol('CACHE_REDIS');
export const LIMITS_REDIS = Symbol('LIMITS_REDIS');
