/** What a process and Redis tell each other about one tenant's slots; see exchange.lua. */

export interface LeaseRequest {
  readonly organizationId: string;
  readonly held: number;
  readonly demand: number;
  readonly wanted: number;
  readonly limit: number;
  /** Whether the process believes that Redis knows a lease of it. */
  readonly expectsKnown: boolean;
}

export interface LeaseReply {
  readonly leased: number;
  readonly allowance: number;
  /** Others lack slots that they are allowed. */
  readonly pressed: boolean;
  /** Redis knew a lease of this process. */
  readonly known: boolean;
  /** When this lease ends, by this process's performance.now(); never later than Redis ends it. */
  readonly endsAt: number;
}

/** Life of a lease without renewal: how long the slots of a process that died are missing. */
export const LEASE_MS = 5_000;
/** How often leases are renewed; idle slots are kept for one to two of these periods. */
export const RENEW_MS = 1_000;
/** How long one process keeps a slot that the limit does not share out evenly, while others want it. */
export const TURN_MS = 50;
