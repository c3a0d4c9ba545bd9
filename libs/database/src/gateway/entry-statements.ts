/** The statements that a flight begins and ends with (migrations/1764000006000-places.ts). */
import type { FlightStatement } from '../lanes/flight';
import type { Place } from './place';

type Prepared = Pick<FlightStatement, 'name' | 'text'>;

const ENTER_WRITE: Prepared = { name: 'enter_write', text: 'select enter_write($1, $2)' };
const ENTER_OPERATOR_WRITE: Prepared = { name: 'enter_operator_write', text: 'select enter_write($1, $2, true)' };
const ENTER_READ: Prepared = { name: 'enter_read', text: 'select enter_read($1)' };
/** Enough where the directory's entry is fresh: who moved away keeps its rows for longer than that. */
const ENTER_FRESH_READ: Prepared = {
  name: 'enter_fresh_read',
  text: "select set_config('app.tenant_id', $1, true), set_config('transaction_read_only', 'on', true)",
};
const REQUIRE_REPLAYED: Prepared = { name: 'require_replayed', text: 'select require_replayed($1)' };

export function enterWrite({ organizationId, epoch, isOperators }: Place): FlightStatement {
  const { name, text } = isOperators ? ENTER_OPERATOR_WRITE : ENTER_WRITE;
  return { name, text, values: [organizationId, epoch] };
}

export function enterRead({ organizationId, fresh }: Place): FlightStatement {
  const { name, text } = fresh ? ENTER_FRESH_READ : ENTER_READ;
  return { name, text, values: [organizationId] };
}

/** `lsn` as `X/Y`. */
export function requireReplayed(lsn: string): FlightStatement {
  return { ...REQUIRE_REPLAYED, values: [lsn] };
}

/**
 * Answers (position, timeline). After a commit: where the log is flushed to, so a standby that has it has the commit, unless that did
 * not wait for the disk: then it may be just behind. Nothing that is read back from standbys may be committed so.
 */
export const PRIMARY_POSITION: FlightStatement = {
  name: 'primary_position',
  text: `select pg_current_wal_flush_lsn()::text as position, left(pg_walfile_name(pg_current_wal_flush_lsn()), 8) as timeline`,
  values: [],
};

/**
 * Answers (position, timeline): nothing that a statement before it has seen is newer. A timeline only where the replica has
 * been promoted meanwhile: it shows writes then that no replayed position covers.
 */
export const REPLICA_POSITION: FlightStatement = {
  name: 'replica_position',
  text: `select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end::text as position,
    case when pg_is_in_recovery() then null else left(pg_walfile_name(pg_current_wal_flush_lsn()), 8) end as timeline`,
  values: [],
};
