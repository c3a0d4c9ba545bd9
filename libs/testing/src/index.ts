/** Test support: real servers on this machine, an environment for each spec file, builders. */
export * from '#libs/local-stack';
export {
  createTestEnvironment,
  type TestEnvironment,
  type TestEnvironmentOptions,
  type TestShard,
} from './environment/test-environment';
export {
  createTestCluster,
  type TestCluster,
  type TestClusterOptions,
  type TestClusterShard,
} from './environment/test-cluster';
export { createOrganization, type TestOrganization } from './environment/organization.builder';
export { createManyTenants } from './environment/many-tenants';
export { asTenant } from './environment/as-tenant';
export { platformModules } from './environment/platform-modules';
export { findProgram, OLDEST_POSTGRES, REQUIRED_PROGRAMS, requirePrograms } from './jest/required-programs';
export { PatroniCluster, type PatroniMember } from './ha/patroni-cluster';
export { PatroniNode } from './ha/patroni-node';
export { Sentinels, type SentinelsOptions, WatchedRedis } from './ha/sentinels';
export { Way, type WayOptions } from './chaos/way';
export { ObjectStore, type Interference } from './object-store/object-store';
export { type Fault, misbehave, OutsideServer, type OutsideServerOptions } from './outside/outside-server';
export { type RawAnswer, RawClient } from './outside/raw-client';
export { type CollectedSpan, TraceCollector } from './outside/trace-collector';
export { NameServer } from './outside/name-server';
export { type FeedAnswer, type FeedCall, type FeedRow, ReferenceFeed } from './outside/reference-feed';
