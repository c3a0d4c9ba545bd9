/** A connection as its row stands: where stock is pulled from, how far that has come, and how it goes. */
import type { BreakerRow, BreakerState } from './breaker/breaker';

/** State machine: active → paused → active, by its tenant. While it is paused, syncs end without having asked. */
export const CONNECTION_STATES = ['active', 'paused'] as const;
export type ConnectionState = (typeof CONNECTION_STATES)[number];

export interface Connection {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  /** Code of the location that a row without one means; null: the default one. */
  readonly location: string | null;
  readonly has_bearer_token: boolean;
  readonly header_names: readonly string[];
  readonly state: ConnectionState;
  /** null: from the beginning. */
  readonly cursor: string | null;
  readonly breaker_state: BreakerState;
  readonly breaker_failures: number;
  readonly breaker_openings: number;
  readonly breaker_retry_at: Date | null;
  readonly breaker_trial: string | null;
  /** Until breaker_retry_at, by the shard's clock. */
  readonly breaker_remaining_ms: number | null;
  readonly last_job_id: string | null;
  readonly last_success_at: Date | null;
  readonly last_failure_at: Date | null;
  readonly last_failure_code: string | null;
  readonly last_failure_message: string | null;
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** What a run works with. */
export interface Source extends Connection {
  /** Sealed; null for none. */
  readonly credentials: string | null;
  /** Id of the key that sealed them. */
  readonly credentials_key: string | null;
  readonly revision: number;
}

export function breakerOf(connection: Connection): BreakerRow {
  const { breaker_state, breaker_failures, breaker_openings, breaker_trial, breaker_remaining_ms } = connection;
  return {
    state: breaker_state,
    failures: breaker_failures,
    openings: breaker_openings,
    trial: breaker_trial,
    remainingMs: breaker_remaining_ms,
  };
}
