/** Gathers the records of a file into chunks that are committed as one. */
import type { JobLineError } from '#libs/queues';
import type { CsvRecord } from '../csv/csv-reader';
import type { Position } from '../csv/line-splitter';
import type { ImportColumn } from './import-header';
import { importRow, type ImportRow, isImportRow } from './import-row';

export interface ImportChunk {
  readonly rows: readonly ImportRow[];
  readonly errors: readonly JobLineError[];
  /** Where the next chunk begins. */
  readonly next: Position;
}

const CHUNK_RECORDS = 500;
/** Ends a chunk early where lines are long. */
const CHUNK_BYTES = 1024 * 1024;

export async function* importChunks(
  records: AsyncIterable<CsvRecord>,
  columns: readonly ImportColumn[],
  from: Position,
): AsyncGenerator<ImportChunk> {
  let rows: ImportRow[] = [];
  let errors: JobLineError[] = [];
  let begin = from;
  let next = from;
  for await (const record of records) {
    const row = 'fields' in record ? importRow(record.line, columns, record.fields) : record.problem;
    if (isImportRow(row)) rows.push(row);
    else errors.push({ line: record.line, ...row });
    next = record.next;
    if (rows.length + errors.length >= CHUNK_RECORDS || next.offset - begin.offset >= CHUNK_BYTES) {
      yield { rows, errors, next };
      [rows, errors, begin] = [[], [], next];
    }
  }
  if (rows.length + errors.length > 0) yield { rows, errors, next };
}
