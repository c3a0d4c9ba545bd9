/** Test support: real servers on this machine, an environment for each spec file, builders. */
export * from './servers';
export { createTestEnvironment, type TestEnvironment } from './environment/test-environment';
export { createOrganization, type TestOrganization } from './environment/organization.builder';
export { asTenant } from './environment/tenant-module';
export { type LocalPgBouncer, type LocalPgBouncerOptions, startLocalPgBouncer } from './servers/local-pgbouncer';
export { findProgram, REQUIRED_PROGRAMS, requirePrograms } from './jest/required-programs';
