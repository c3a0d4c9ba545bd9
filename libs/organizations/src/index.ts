/** Organizations: how operators make them, change them and set their limits. Tenants read theirs in the directory. */
export { OrganizationsModule } from './organizations.module';
export { OrganizationsWorkerModule } from './organizations-worker.module';
export {
  type NewOrganization,
  type OrganizationPatch,
  type OrganizationQuery,
  OrganizationService,
  type OrganizationUpdate,
  type PlaceForHook,
} from './organization.service';
export type { LimitOverrides, OrganizationFilter } from './organization.repository';
export { type BucketAssignment, type BucketRange, BucketService } from './bucket.service';
export { type ShardOverview, ShardOverviewService, type ShardsOverview } from './shard-overview.service';
