/** Coordination: consistency tokens and tenants' shares, agreed on over Redis. */
export { CoordinationModule } from './coordination.module';
export { RedisTenantShare, type ShareSnapshot } from './share/redis-tenant-share';
export { RedisTokenKeeper } from './tokens/redis-token-keeper';
