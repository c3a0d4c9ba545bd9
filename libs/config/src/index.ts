/** Configuration: the environment, parsed and checked once at boot against one schema. */
export { type AppConfig, ConfigError, loadConfig, roleUrl, type DatabaseRole } from './config';
export { COST_CATEGORIES, type CategoryPrice, type CostCategory, type CostModel, costModel } from './cost-model';
export { ENVIRONMENT_SCHEMA } from './environment.schema';
export { ConfigModule, APP_CONFIG } from './config.module';
export { HOME_SHARD, hostUrls, type ShardTopology } from './database-topology';
export { type ProcessName, secretsOf } from './secrets';
export { type RedisMaster, redisServers, type RedisServers } from './redis-topology';
export type { RegionMap } from './region-map';
export { REGION_NAME } from './regions.schema';
export { SLO_TIERS, sloObjectives, type SloObjectives } from './slo-objectives';
