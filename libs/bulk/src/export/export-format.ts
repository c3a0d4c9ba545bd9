/** How rows become the text of a file. Values stand as they are stored: a file can be read back without loss. */
import { stringify } from 'csv-stringify/sync';
import type { ExportFormat } from '../bulk.jobs';
import type { ExportRow } from './export-resources';

export interface FormatWriter {
  readonly contentType: string;
  /** What a file begins with. */
  head(columns: readonly string[]): string;
  rows(rows: readonly ExportRow[], columns: readonly string[]): string;
}

export const FORMATS: Readonly<Record<ExportFormat, FormatWriter>> = {
  ndjson: {
    contentType: 'application/x-ndjson; charset=utf-8',
    head: () => '',
    rows: (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  },
  csv: {
    contentType: 'text/csv; charset=utf-8',
    head: (columns) => stringify([columns]),
    rows: (rows, columns) => stringify(rows.map((row) => columns.map((column) => row[column]))),
  },
};
