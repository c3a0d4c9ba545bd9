/** The jobs of this library. They read only, so they run while the organization is suspended, and may be run again. */
import type { Shape } from '#libs/kernel';
import { defineJob, type JobDefinition } from '#libs/queues';
import { FORMATS, type RowFormat } from '#libs/storage';
import { type CreateReport, DEAD_STOCK, LOW_STOCK_LEVELS, MOVEMENTS, SALES, VALUATION } from './report.shapes';

const LONG_MS = 6 * 3_600_000;

/** Key of the file that a report writes. */
export const reportKey = (jobId: string, format: RowFormat): string => `reports/${jobId}.${format}`;

function report<Payload extends { readonly format: RowFormat }>(
  name: CreateReport['report'],
  payload: Shape<Payload>,
  schedulable: boolean,
): JobDefinition<Payload> {
  return defineJob({
    type: `report.${name}`,
    class: 'high',
    version: 1,
    payload,
    timeoutMs: LONG_MS,
    cost: 5,
    idempotency: 'repeatable',
    writes: false,
    schedulable,
    file: (id, { format }) => ({
      key: reportKey(id, format),
      filename: `${name}-${id}.${format}`,
      contentType: FORMATS[format].contentType,
    }),
  });
}

export const STOCK_VALUATION_REPORT = report('stock_valuation', VALUATION, true);
export const STOCK_MOVEMENTS_REPORT = report('stock_movements', MOVEMENTS, false);
export const SALES_REPORT = report('sales', SALES, false);
export const DEAD_STOCK_REPORT = report('dead_stock', DEAD_STOCK, true);
export const LOW_STOCK_REPORT = report('low_stock', LOW_STOCK_LEVELS, true);

export const REPORT_JOBS = [
  STOCK_VALUATION_REPORT,
  STOCK_MOVEMENTS_REPORT,
  SALES_REPORT,
  DEAD_STOCK_REPORT,
  LOW_STOCK_REPORT,
] as const;
