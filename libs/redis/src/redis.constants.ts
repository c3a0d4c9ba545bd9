/** Injection tokens of the clients. Cache and limits may lose data; the queue's server must not evict. */
export const QUEUE_REDIS = Symbol('QUEUE_REDIS');
export const CACHE_REDIS = Symbol('CACHE_REDIS');
export const LIMITS_REDIS = Symbol('LIMITS_REDIS');
/** What processes agree on: the queue's server, through a client that answers within 50 ms or fails. */
export const COORDINATION_REDIS = Symbol('COORDINATION_REDIS');
