/** Database: the only code that opens tenant transactions, and what guards the wall between tenants. */
export { DatabaseModule } from './database.module';
export { CONTROL_POOL } from './database.constants';
export { TenantDatabase } from './tenant-database';
export { lazyCommit } from './lanes/lazy-commit';
export {
  declaredStatements,
  type ReadFrom,
  type Statement,
  type StatementResult,
  tenantRead,
  tenantStatement,
} from './lanes/statement';
export { notFound, updatedRow, versionMismatch } from './lanes/versioned-update';
export { rfc3339 } from './lanes/sql-text';
export { DATABASE_TYPES } from './lanes/types';
export {
  ALREADY_DONE,
  isOrganizationUnknown,
  isUniqueViolation,
  shardElsewhere,
  translateDatabaseError,
  unknownShard,
} from './database.error';
export { DatabaseDirectory } from './directory/database-directory';
export {
  LIMIT_COLUMNS,
  LIMIT_NAMES,
  type OrganizationRow,
  overridesOf,
  SELECT_ORGANIZATION,
  toOrganization,
} from './directory/organization-row';
export { ShardConnections } from './archive/shard-connections';
export { tenantTables, type TenantColumn, type TenantTable } from './archive/tenant-tables';
export {
  beginAsTenant,
  drainWriters,
  inTenantChange,
  inTenantSnapshot,
  inTenantTransaction,
} from './archive/tenant-transaction';
export { countRows, deleteRows, insertRows, readRows } from './archive/tenant-rows';
export { type LimitValues, mirrorLimits, putLimits, refreshLimits, removeLimits } from './directory/limit-mirror';
export { checkWall, type WallViolation } from './wall/wall-check';
export { WallGuard } from './wall/wall-guard.service';
export { migrate, type MigrateOptions, type MigrateProgress } from './migrate/migrate';
export { PRIMARY_POSITION } from './gateway/entry-statements';
export { LANE_OUTCOMES, type LaneUse, LaneWatch, type LaneWatcher } from './gateway/lane-watch';
export { type ReadCount, ReadStatistics } from './gateway/read-statistics';
export { Shards } from './shards/shards.service';
export { type FanOut, ShardFanOut } from './shards/shard-fan-out';
export type { Shard } from './shards/shard';
export type { DatabaseNode } from './shards/database-node';
export type { ServingRole } from './shards/node-pool';
export { PrimaryPool } from './shards/primary-pool';
export type { NodeSnapshot } from './shards/node-snapshot';
export type { ShardMigrations } from './migrate/migrate.error';
export type { Compatibility, MigrationClass } from './migrate/migration';
export { type ConcurrentIndex, createIndexConcurrently } from './migrate/concurrent-index';
export { checkShards, type ShardSchema } from './migrate/check-shards';
export { checkSchema, requireSchema, type SchemaViolation } from './migrate/schema-check';
export { SchemaGuard } from './migrate/schema-guard.service';
