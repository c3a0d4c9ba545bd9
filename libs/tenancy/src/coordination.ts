/** What processes agree on about a tenant beside the database. libs/coordination does it over Redis. */
import type { StockyardError } from '#libs/kernel';

/** Keeps the newest consistency token of each caller, so that a client which ignores tokens still reads its own writes. */
export abstract class TokenKeeper {
  /** The sealed token kept for a caller; undefined where none is known. Rejects while the keeper is away. */
  abstract load(organizationId: string, caller: string): Promise<string | undefined>;
  /**
   * Keeps `sealed` unless a token of a greater rank is kept already. Resolves when it is kept; rejects while the keeper
   * is away, after 50 ms at the latest.
   */
  abstract keep(organizationId: string, caller: string, token: { sealed: string; rank: string }): Promise<void>;
  /** Forgets every caller of an organization. */
  abstract forget(organizationId: string): Promise<void>;
}

/** Gives back what was taken. May be called once. */
export type ReleaseSlot = () => void;

/** A tenant's share: `max_connections` transactions at once across all processes, taken before a connection is. */
export abstract class TenantShare {
  /**
   * Takes one of `limit` slots: at once (no promise) where this process holds a free one, else when one is free. Throws
   * `limit_exceeded` (429) that names `max_connections` after DATABASE_TENANT_WAIT_MS.
   */
  abstract take(organizationId: string, limit: number): ReleaseSlot | Promise<ReleaseSlot>;
}

/** `max_concurrent_requests` of a tenant's requests at once across all processes. */
export abstract class RequestShare {
  /**
   * Takes one of `limit` slots: at once (no promise) where this process holds a free one, else when one is free. Throws or rejects
   * with `limit_exceeded` (429) that names `max_concurrent_requests` after ADMISSION_WAIT_MS, or at once where so many wait already
   * that it would wait in vain.
   */
  abstract take(organizationId: string, limit: number): ReleaseSlot | Promise<ReleaseSlot>;
  /** What take() would throw at once: for who wants to know it before a request is looked at. */
  abstract refusal(organizationId: string, limit: number): StockyardError | undefined;
}
