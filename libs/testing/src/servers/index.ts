// Real servers and processes for tests and for the local stack.
export { freePort, isPortFree, preferPort } from './free-port';
export {
  LocalPostgres,
  removeServerData,
  startLocalPostgres,
  temporaryDataDirectory,
  type LocalPostgresOptions,
} from './local-postgres';
export { LocalPostgresReplica, startLocalReplica, type LocalReplicaOptions } from './local-postgres-replica';
export { LocalRedis, startLocalRedis, type LocalRedisOptions } from './local-redis';
export { describeExit, OwnedProcess, type ExitStatus, type OwnedProcessOptions } from './owned-process';
export { endLeftBehind } from './pid-record';
export { identifyProcess, isAlive, type ProcessIdentity } from './process-identity';
export type { RedisFlavour } from './redis-program';
export { logTail, ServerError, withLogTail } from './server-error';
export type { Notice } from './unprivileged-user';
export { StopWaiting, waitFor, type WaitForOptions } from './wait-for';
