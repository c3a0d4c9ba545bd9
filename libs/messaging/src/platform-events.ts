/**
 * Hints between the processes, over the Nest Redis transport. They may be lost: whoever misses one is late, never
 * wrong. Work that must happen goes through the outbox instead.
 */

export interface EventPayloads {
  /** State, tier, limits or place of an organization changed: forget what the directory cached. */
  readonly 'organization.changed': { readonly organization_id: string };
  /**
   * Cached values of a tenant are out of date: one by its key; with an empty key all of the namespace; with an empty namespace all
   * that hang on the tag named by `key`.
   */
  readonly 'cache.invalidated': { readonly organization_id: string; readonly namespace: string; readonly key: string };
  /** The outbox has new rows: the relay need not wait for its next poll. */
  readonly 'outbox.ready': Readonly<Record<string, never>>;
  /** An operation on a tenant was asked for: the workers need not wait for their next poll. */
  readonly 'operation.ready': Readonly<Record<string, never>>;
  /** A job moved on. */
  readonly 'job.progress': {
    readonly organization_id: string;
    readonly job_id: string;
    readonly state: string;
    readonly processed: number;
    readonly failed: number;
    readonly total: number | null;
  };
}

export type EventName = keyof EventPayloads;

/** Publishes hints. Never throws and never waits: a Redis that is away costs a hint, not a request. */
export abstract class PlatformEvents {
  abstract publish<N extends EventName>(name: N, payload: EventPayloads[N]): void;
}
