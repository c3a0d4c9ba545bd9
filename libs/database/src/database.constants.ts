/** Injection tokens of the pools that are not the tenant pool. */

/** pg.Pool of `stockyard_relay`: sees the outbox, nothing else. */
export const RELAY_POOL = Symbol('RELAY_POOL');
/** pg.Pool of `stockyard_control`: keeps the directory. */
export const CONTROL_POOL = Symbol('CONTROL_POOL');
