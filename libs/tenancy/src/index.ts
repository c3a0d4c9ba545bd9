/** Tenancy: who the current work is done for, and what the directory knows of each organization. */
export { type Actor, type TenantContext, TenantContextHolder } from './tenant-context';
export { TenancyModule } from './tenancy.module';
export { isWrongRegion, type RegionConfig, Regions } from './regions';
export {
  Directory,
  type LocatedOrganization,
  type Organization,
  ORGANIZATION_STATES,
  type OrganizationState,
  organizationSuspended,
  type Whereabouts,
} from './directory';
export { effectiveLimits, type LimitName, type Limits, TIERS, type Tier, TIER_LIMITS } from './tier';
export { shardKeyOf, SHARD_BUCKETS } from './shard-key';
export {
  type ConsistencyToken,
  ConsistencyTokens,
  newerToken,
  type PositionOnShard,
  tokenRank,
  toLsn,
  toPosition,
} from './consistency-token';
export { type ReleaseSlot, RequestShare, TenantShare, TokenKeeper } from './coordination';
export { limitExceeded, type LimitRefusal } from './limit.error';
export { type Charged, type CountedResult, type RowCounts, RowTally } from './row-tally';
export { ConsistencyScope, type LoadKeptToken, type SeenSoFar } from './consistency-scope';
export { WriteScope } from './write-scope';
