/** Configuration: the environment, parsed and checked once at boot against one schema. */
export { type AppConfig, ConfigError, loadConfig, roleUrl, type DatabaseRole } from './config';
export { COST_CATEGORIES, type CategoryPrice, type CostCategory, type CostModel } from './cost-model';
export { ENVIRONMENT_SCHEMA } from './environment.schema';
export { ConfigModule, APP_CONFIG } from './config.module';
export { HOME_SHARD, hostUrls, type ShardTopology } from './database-topology';
export { type RedisMaster, redisServers, type RedisServers } from './redis-topology';
export { SLO_TIERS, type SloObjectives } from './slo-objectives';
