/** Reads the outcome of an update under optimistic locking: a batch of the UPDATE and of a probe for the row. */
import { StockyardError } from '#libs/kernel';
import type { StatementResult } from './statement';

/** The answer for an id that is unknown or another tenant's: always the same. */
export function notFound(): StockyardError {
  return new StockyardError({ code: 'not_found', category: 'not_found', message: 'There is no such resource.' });
}

/** The answer (412) for a change of a version that is not the current one. */
export function versionMismatch(current: number | undefined): StockyardError {
  return new StockyardError({
    code: 'version_mismatch',
    category: 'precondition_failed',
    param: 'If-Match',
    message: 'The resource has changed since you read it; read it again and repeat the change.',
    details: { current },
  });
}

/**
 * The updated row. Throws not_found when the probe found no row, version_mismatch (412) when it did but the UPDATE
 * matched none because the row has another version.
 */
export function updatedRow<Row>(update: StatementResult<unknown>, probe: StatementResult<unknown>): Row {
  const [row] = update.rows;
  if (row !== undefined) return row as Row;
  if (probe.rows.length === 0) throw notFound();
  throw versionMismatch((probe.rows[0] as { version?: number }).version);
}
