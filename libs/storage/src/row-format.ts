/** How rows become the text of a file. Values stand as they are stored: a file can be read back without loss. */
import { stringify } from 'csv-stringify/sync';

export const ROW_FORMATS = ['ndjson', 'csv'] as const;
export type RowFormat = (typeof ROW_FORMATS)[number];

/** A bigint is written with all its digits, in JSON too: beyond 2^53 a reader must keep them. */
export type FileRow = Readonly<Record<string, string | number | bigint | null>>;

export interface FormatWriter {
  readonly contentType: string;
  /** What a file begins with. */
  head(columns: readonly string[]): string;
  rows(rows: readonly FileRow[], columns: readonly string[]): string;
}

const json = (value: FileRow[string] | undefined): string =>
  typeof value === 'bigint' ? String(value) : JSON.stringify(value ?? null);

const jsonLine = (row: FileRow, columns: readonly string[]): string =>
  `{${columns.map((column) => `${JSON.stringify(column)}:${json(row[column])}`).join(',')}}\n`;

export const FORMATS: Readonly<Record<RowFormat, FormatWriter>> = {
  ndjson: {
    contentType: 'application/x-ndjson; charset=utf-8',
    head: () => '',
    rows: (rows, columns) => rows.map((row) => jsonLine(row, columns)).join(''),
  },
  csv: {
    contentType: 'text/csv; charset=utf-8',
    head: (columns) => stringify([columns]),
    rows: (rows, columns) => stringify(rows.map((row) => columns.map((column) => row[column]))),
  },
};
