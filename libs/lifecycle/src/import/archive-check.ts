/** Checks an archive against itself and against the database that it is to be restored into, before anything is written. */
import type { Readable } from 'node:stream';
import type { TenantTable } from '#libs/database';
import { isUuid, uuidv7Time } from '#libs/kernel';
import { archiveDamaged, archiveForeign, archiveIncompatible } from '../archive/archive.error';
import { walkArchive } from '../archive/archive-reader';
import type { Manifest, ManifestTable } from '../archive/manifest';
import { isDirectoryTable } from '../directory/directory-tables';

/** First days of the months, or days, that a table's rows fall into. */
export type Months = Readonly<Record<string, readonly string[]>>;

export interface CheckedArchive {
  readonly manifest: Manifest;
  readonly months: Months;
}

export interface Target {
  readonly schema: string;
  readonly tables: readonly TenantTable[];
  /** Of the organization that is restored. */
  readonly tenant: string;
}

type Row = Readonly<Record<string, string | null>>;

const FIRST_YEAR = 2000;
const LAST_YEAR = 2100;

/** Throws `archive_damaged`, `archive_too_large`, `archive_incompatible` or `archive_foreign` (422). */
export async function checkArchive(source: Readable, target: Target, signal: AbortSignal): Promise<CheckedArchive> {
  const months: Record<string, string[]> = {};
  const manifest = await walkArchive(source, {
    manifest: (found) => {
      checkManifest(found, target);
    },
    table: async (entry, rows) => {
      const table = target.tables.find(({ name }) => name === entry.name)!;
      const seen = new Set<string>();
      let line = 0;
      for await (const text of rows) {
        if ((line += 1) % 1_000 === 0) signal.throwIfAborted();
        const row = parseRow(text, entry, line);
        if (row.organization_id !== target.tenant) throw archiveForeign(entry.file, line);
        if (table.partitionColumn) seen.add(firstDayOf(row, table.partitionColumn, entry, line));
      }
      if (seen.size > 0) months[entry.name] = [...seen].sort();
    },
  });
  return { manifest, months };
}

function checkManifest({ schema, organization, tables }: Manifest, target: Target): void {
  if (schema !== target.schema) {
    throw archiveIncompatible(`it was made under the schema ${schema}, this database has ${target.schema}`);
  }
  if (organization.id !== target.tenant) throw archiveForeign('manifest.json', 1);
  const wanted = target.tables.filter(({ name }) => !isDirectoryTable(name));
  const names = (all: readonly { name: string }[]) => all.map(({ name }) => name).join(', ');
  if (names(tables) !== names(wanted)) throw archiveIncompatible('its tables are not those of this database');
  tables.forEach(({ name, columns }, index) => {
    if (columns.join() !== wanted[index]!.columns.map((column) => column.name).join())
      throw archiveIncompatible(`the columns of ${name} are not those of this database`);
  });
}

function parseRow(text: string, { file, columns }: ManifestTable, line: number): Row {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (error) {
    throw archiveDamaged(file, `is not JSON in line ${line}`, error);
  }
  if (typeof row !== 'object' || row === null || Object.keys(row).join() !== columns.join())
    throw archiveDamaged(file, `has other columns in line ${line}`);
  return row as Row;
}

/** Of the partition that holds a row: the month, or the day, of a UUIDv7 or of a time, in UTC. */
function firstDayOf(
  row: Row,
  { name, unit }: NonNullable<TenantTable['partitionColumn']>,
  { file }: ManifestTable,
  line: number,
): string {
  const key = row[name] ?? '';
  const iso = key.replace(' ', 'T').replace(/\+00$/, 'Z');
  const time = new Date(isUuid(key) ? uuidv7Time(key) : iso);
  const year = time.getUTCFullYear();
  if (!(year >= FIRST_YEAR && year < LAST_YEAR)) throw archiveDamaged(file, `has no usable time in line ${line}`);
  return unit === 'day' ? time.toISOString().slice(0, 10) : `${time.toISOString().slice(0, 7)}-01`;
}
