/** Real servers and processes on this machine: for `npm start` and for tests. Knows nothing of the platform. */
export { freePort, isPortFree, preferPort } from './free-port';
export {
  LocalPostgres,
  removeServerData,
  startLocalPostgres,
  temporaryDataDirectory,
  type LocalPostgresOptions,
} from './local-postgres';
export { type LocalPgBouncer, type LocalPgBouncerOptions, startLocalPgBouncer } from './local-pgbouncer';
export { startLocalCluster, type LocalCluster, type LocalClusterOptions, type LocalNodeOptions } from './local-cluster';
export {
  LocalPostgresReplica,
  rejoinAsReplica,
  startLocalReplica,
  type LocalReplicaOptions,
} from './local-postgres-replica';
export { LocalRedis, startLocalRedis, type LocalRedisOptions } from './local-redis';
export { type LocalRedisCluster, type RedisClusterOptions, startRedisCluster } from './local-redis-cluster';
export { describeExit, OwnedProcess, type ExitStatus, type OwnedProcessOptions } from './owned-process';
export { endLeftBehind } from './pid-record';
export { identifyProcess, isAlive, type ProcessIdentity } from './process-identity';
export type { RedisFlavour } from './redis-program';
export { logTail, ServerError, withLogTail } from './server-error';
export { type Notice, unprivilegedUser } from './unprivileged-user';
export { StopWaiting, waitFor, type WaitForOptions } from './wait-for';
