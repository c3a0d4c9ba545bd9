/** Injection tokens of connections that are not the tenant gateway's. */

/** PrimaryPool of `stockyard_control` on the home shard: keeps the directory. */
export const CONTROL_POOL = Symbol('CONTROL_POOL');
