/** Injection tokens: connections that are not the tenant gateway's, and what the release knows of the schema. */

/** PrimaryPool of `stockyard_control` on the home shard: keeps the directory. */
export const CONTROL_POOL = Symbol('CONTROL_POOL');
/** The release's migrations, `readonly MigrationClass[]`; null leaves the schema unchecked. */
export const RELEASE_MIGRATIONS = Symbol('RELEASE_MIGRATIONS');
