/** Coordination: consistency tokens and tenants' shares, agreed on over Redis. */
export { CoordinationModule } from './coordination.module';
export type { ShareSnapshot } from './share/leased-share';
export { RedisRequestShare } from './share/redis-request-share';
export { RedisTenantShare } from './share/redis-tenant-share';
export { ShareReader } from './share/share-reader';
export { RedisTokenKeeper } from './tokens/redis-token-keeper';
