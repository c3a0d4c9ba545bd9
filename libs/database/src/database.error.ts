/** Turns what node-postgres and TypeORM throw into errors of the platform. */
import { type ErrorCategory, StockyardError } from '#libs/kernel';
import { isPlanLost } from './lanes/flight';

interface PostgresError extends Error {
  code?: string;
  detail?: string;
  constraint?: string;
  driverError?: PostgresError;
}

/** SQLSTATE that the function `refuse` raises: a refusal by a rule, with its facts as JSON in DETAIL. */
const REFUSAL = 'SY001';
/** SQLSTATE of claim_idempotency_key: the same request was already done under this key. */
const REPLAY = 'SY002';
/** SQLSTATE of enter_write and enter_read: the tenant's place on this shard does not let the statements in. */
const ENTRY_REFUSED = 'SY003';
/** SQLSTATE of require_replayed: the replica has not replayed what the caller has seen. */
const BEHIND = 'SY004';
/** Code of the error that stands for it. */
export const ALREADY_DONE = 'idempotent_replay';

const UNAVAILABLE = new Set([
  '57P01',
  '57P02',
  '57P03',
  '53300',
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
]);
const RETRYABLE = new Set(['40001', '40P01', '55P03']);
const CONNECTION_LOST =
  /Connection terminated|timeout exceeded when trying to connect|timeout expired|not queryable|Client was closed/;

/** By shape, not by class: errors of sockets come from another realm where the code runs in a sandbox. */
function unwrap(error: unknown): PostgresError | undefined {
  if (typeof error !== 'object' || error === null || !('message' in error)) return undefined;
  return (error as PostgresError).driverError ?? (error as PostgresError);
}

/** True for an error after which the same transaction may be tried again: deadlock, serialization, lock timeout. */
export function isRetryable(error: unknown): boolean {
  return RETRYABLE.has(unwrap(error)?.code ?? '');
}

/** What a place said when it refused an entry; null where the shard has no place for the tenant, or a fence is being taken. */
export interface EntryRefusal {
  readonly state: 'open' | 'suspended' | 'fenced' | 'arriving' | 'moved' | 'deleting' | null;
  readonly epoch: number | null;
}

export function entryRefusal(error: unknown): EntryRefusal | undefined {
  const found = unwrap(error);
  return found?.code === ENTRY_REFUSED ? (JSON.parse(found.detail ?? '{}') as EntryRefusal) : undefined;
}

/** How far a replica is (`X/Y`) that refused a read because of the caller's token; undefined for other errors. */
export function replayedSoFar(error: unknown): string | undefined {
  const found = unwrap(error);
  return found?.code === BEHIND ? (found.detail ?? '0/0') : undefined;
}

/** True where the server takes no writes, or has no position of its own to tell: it is a standby, or has become one. */
export function isReadOnly(error: unknown): boolean {
  const { code, message = '' } = unwrap(error) ?? {};
  return code === '25006' || (code === '55000' && message === 'recovery is in progress');
}

/** As translateDatabaseError, for what was meant to write: where that met a standby, the shard has no primary. */
export function translateWriteError(error: unknown): unknown {
  return isReadOnly(error) ? unavailable(error) : translateDatabaseError(error);
}

/** The name of the violated constraint when an error is a unique violation of it (or of any, without a name). */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const found = unwrap(error);
  return found?.code === '23505' && (constraint === undefined || found.constraint === constraint);
}

/** For what SQL refuses as `limited`: how long it takes nobody knows there. */
const LIMITED_RETRY_SECONDS = 5;

function refusal(error: PostgresError): StockyardError {
  const facts = JSON.parse(error.detail ?? '{}') as {
    code: string;
    category: ErrorCategory;
    param: string | null;
    details: Record<string, unknown> | null;
  };
  return new StockyardError({
    code: facts.code,
    category: facts.category,
    message: error.message,
    param: facts.param ?? undefined,
    details: facts.details ?? undefined,
    retryAfterSeconds: facts.category === 'limited' ? LIMITED_RETRY_SECONDS : undefined,
    cause: error,
  });
}

/** A server that keeps the connection and does not answer: frozen, or cut off without a word. */
export function databaseSilent(): StockyardError {
  return unavailable(new Error('The database did not answer in time.'));
}

/** Nobody takes writes on a shard at the moment. */
export function shardUnavailable(shard: string): StockyardError {
  return unavailable(new Error(`Shard ${shard} has no primary at the moment.`));
}

/** No replica could answer a read, and the primary has all the reads that it takes from them. */
export function replicasBehind(): StockyardError {
  return new StockyardError({
    code: 'replicas_behind',
    category: 'unavailable',
    message: 'The replicas are behind or out, and the primary has its share of their reads. Retry.',
    retryAfterSeconds: 1,
  });
}

/** The organization is between two places, for longer than a request waits. */
export function tenantMoving(): StockyardError {
  return new StockyardError({
    code: 'organization_moving',
    category: 'unavailable',
    message: 'The organization is being moved; writes go on in a moment. Retry.',
    retryAfterSeconds: 1,
  });
}

/** The tenant context names an organization that the directory does not have. */
export function organizationUnknown(): StockyardError {
  return new StockyardError({
    code: 'organization_unknown',
    category: 'not_found',
    message: 'There is no such organization.',
  });
}

/** True for the error of a tenant context whose organization the directory does not have. */
export function isOrganizationUnknown(error: unknown): boolean {
  return error instanceof StockyardError && error.code === 'organization_unknown';
}

/** The refusal of a shard that the configuration does not name. */
export function unknownShard(shard: string, known: readonly string[]): StockyardError {
  return new StockyardError({
    code: 'unknown_shard',
    category: 'unprocessable',
    param: 'shard',
    message: `There is no shard "${shard}"; the shards are ${known.join(', ')}.`,
    details: { shards: known },
  });
}

/** The refusal of a shard that is in another region: rows of an organization do not leave theirs but by its archive. */
export function shardElsewhere(shard: string, region: string, own: string): StockyardError {
  return new StockyardError({
    code: 'shard_in_other_region',
    category: 'unprocessable',
    param: 'shard',
    message:
      `The shard "${shard}" is in the region ${region}, not in ${own}. To take an organization to another region, export it ` +
      'here, import the archive there, and delete it here with `moved_to`.',
    details: { shard, region },
  });
}

function unavailable(cause: unknown): StockyardError {
  return new StockyardError({
    code: 'database_unavailable',
    category: 'unavailable',
    message: 'The database does not answer at the moment. Retry; with an Idempotency-Key that is always safe.',
    retryAfterSeconds: 1,
    cause,
  });
}

/** The platform's error for a database failure; errors of the platform and unknown ones pass unchanged. */
export function translateDatabaseError(error: unknown): unknown {
  const found = unwrap(error);
  if (!found) return error;
  if (found instanceof StockyardError) return found; // TypeORM wraps what a query throws
  const code = found.code ?? '';
  if (code === REFUSAL) return refusal(found);
  if (code === REPLAY) return new StockyardError({ code: ALREADY_DONE, category: 'conflict', message: found.message });
  if (code.startsWith('08') || UNAVAILABLE.has(code) || CONNECTION_LOST.test(found.message)) return unavailable(error);
  if (RETRYABLE.has(code) || code === '57014' || isPlanLost(found)) {
    return new StockyardError({
      code: 'database_busy',
      category: 'unavailable',
      message: 'The database was too busy to finish this in time. Retry.',
      retryAfterSeconds: 1,
      cause: error,
    });
  }
  return error;
}
