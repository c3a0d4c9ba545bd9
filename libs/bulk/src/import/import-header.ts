/** The header of an import file: which column is which. */
import { StockyardError } from '#libs/kernel';
import type { CsvRecord } from '../csv/csv-reader';

export const IMPORT_COLUMNS = ['sku', 'name', 'description', 'price', 'currency', 'location', 'on_hand'] as const;
export type ImportColumn = (typeof IMPORT_COLUMNS)[number];

const KNOWN = new Set<string>(IMPORT_COLUMNS);

function refuse(message: string): never {
  throw new StockyardError({ code: 'invalid_csv_header', category: 'unprocessable', param: 'header', message });
}

/** The columns in their order, case and blanks aside. Throws `invalid_csv_header`: the whole file is refused then. */
export function importHeader(record: CsvRecord | undefined): readonly ImportColumn[] {
  if (!record) return refuse('The file is empty; its first line must name the columns.');
  if ('problem' in record) return refuse(`The first line is not a CSV header: ${record.problem.message}`);
  const names = record.fields.map((name) => name.trim().toLowerCase());
  const unknown = names.find((name) => !KNOWN.has(name));
  if (unknown !== undefined) {
    return refuse(`"${unknown.slice(0, 40)}" is no column of an import; the columns are ${IMPORT_COLUMNS.join(', ')}.`);
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return refuse(`The column ${twice} stands twice in the header.`);
  if (!names.includes('sku')) return refuse('The column sku is missing.');
  return names as ImportColumn[];
}
