/** Cache: values of tenants in two levels, of which neither survives a write. */
export { CacheModule } from './cache.module';
export { TenantCache } from './tenant-cache';
export { type CacheReport, CacheReports, MOST_HOURS } from './cache-reports';
export { CacheSizes } from './cache-sizes';
export { type CacheNamespace, type CacheNamespaceOptions, defineNamespace } from './cache-namespace';
export { CACHE_OUTCOMES, type CacheCounts, type CacheOutcome, hitRate } from './cache-statistics';
