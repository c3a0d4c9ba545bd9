/**
 * Index builds that let reads and writes go on, for migrations with `transaction = false`. Each step looks at what is there
 * first, so a migration that was cut off anywhere is simply run again.
 *
 * A plain table's index is built by CREATE INDEX CONCURRENTLY, whose failure leaves an INVALID index that costs every write
 * and answers no query: it is dropped. A partitioned table's cannot be built so; it is made on the parent alone, concurrently
 * on each partition, and attached; the parent's becomes valid with the last one (PostgreSQL manual, 5.12.2.2). A partition
 * that is made meanwhile gets its index from the parent.
 */
import { escapeIdentifier } from 'pg';
import type { QueryRunner } from 'typeorm';

export interface ConcurrentIndex {
  readonly name: string;
  readonly table: string;
  /** What follows `on table`: `(organization_id, sku) where …`, `using gin (…)`. */
  readonly definition: string;
  /** Default false. */
  readonly unique?: boolean;
}

/** Longest identifier of Postgres in bytes; a longer one would be cut and clash. */
const NAME_BYTES = 63;

interface IndexState {
  readonly valid: boolean;
  readonly table: string;
}

async function stateOf(runner: QueryRunner, name: string): Promise<IndexState | undefined> {
  const rows = (await runner.query(
    `select x.indisvalid as valid, t.relname as "table" from pg_class i
     left join pg_index x on x.indexrelid = i.oid left join pg_class t on t.oid = x.indrelid
     where i.relname = $1 and i.relnamespace = 'public'::regnamespace`,
    [name],
  )) as IndexState[];
  return rows[0];
}

/** The state of the index; throws when the name belongs to something else, which must not be taken for it. */
async function ownStateOf(runner: QueryRunner, { name, table }: ConcurrentIndex): Promise<IndexState | undefined> {
  const state = await stateOf(runner, name);
  if (state && state.table !== table) {
    throw new Error(`"${name}" is already the name of something other than an index of ${table}; choose another.`);
  }
  return state;
}

/**
 * Runs a concurrent build or drop. Its locks make no read or write wait, while it waits for every older transaction: a lock
 * timeout would only ever cut it off.
 */
async function patiently(runner: QueryRunner, sql: string): Promise<void> {
  const [before] = (await runner.query("select current_setting('lock_timeout') as value")) as [{ value: string }];
  await runner.query('set lock_timeout = 0');
  try {
    await runner.query(sql);
  } finally {
    await runner.query("select set_config('lock_timeout', $1, false)", [before.value]);
  }
}

const createSql = ({ name, table, definition, unique }: ConcurrentIndex, how: 'concurrently' | 'on only'): string =>
  `create ${unique ? 'unique ' : ''}index ${how === 'concurrently' ? 'concurrently ' : ''}${escapeIdentifier(name)}
   on ${how === 'on only' ? 'only ' : ''}${escapeIdentifier(table)} ${definition}`;

async function buildOnTable(runner: QueryRunner, index: ConcurrentIndex): Promise<void> {
  const drop = () => patiently(runner, `drop index concurrently if exists ${escapeIdentifier(index.name)}`);
  const state = await ownStateOf(runner, index);
  if (state?.valid) return;
  if (state) await drop();
  try {
    await patiently(runner, createSql(index, 'concurrently'));
  } catch (error) {
    await drop().catch(() => undefined); // where that fails too, the next run does it
    throw error;
  }
  if (!(await stateOf(runner, index.name))?.valid) {
    throw new Error(`The index ${index.name} was built and is not valid; run the migration again.`);
  }
}

/** Partitions without an index that is attached to the parent's. */
async function partitionsWithout(runner: QueryRunner, { name, table }: ConcurrentIndex): Promise<string[]> {
  const rows = (await runner.query(
    `select c.relname as partition from pg_inherits p join pg_class c on c.oid = p.inhrelid
     where p.inhparent = $1::regclass and not exists (select from pg_inherits a join pg_index x on x.indexrelid = a.inhrelid
       where a.inhparent = $2::regclass and x.indrelid = c.oid)
     order by c.relname`,
    [escapeIdentifier(table), escapeIdentifier(name)],
  )) as { partition: string }[];
  return rows.map(({ partition }) => partition);
}

function onPartition(index: ConcurrentIndex, partition: string): ConcurrentIndex {
  const prefix = `${index.table}_`;
  const name = `${index.name}_${partition.startsWith(prefix) ? partition.slice(prefix.length) : partition}`;
  if (Buffer.byteLength(name) > NAME_BYTES) {
    throw new Error(`"${name}" is too long for an index: choose a shorter name for ${index.name}.`);
  }
  return { ...index, name, table: partition };
}

async function buildOnPartitions(runner: QueryRunner, index: ConcurrentIndex): Promise<void> {
  const state = await ownStateOf(runner, index);
  if (state?.valid) return;
  if (!state) await runner.query(createSql(index, 'on only'));
  for (const partition of await partitionsWithout(runner, index)) {
    const part = onPartition(index, partition);
    await createIndexConcurrently(runner, part);
    await runner.query(`alter index ${escapeIdentifier(index.name)} attach partition ${escapeIdentifier(part.name)}`);
  }
  if (!(await stateOf(runner, index.name))?.valid) {
    throw new Error(`The index ${index.name} has all its parts and is not valid; drop it and run the migration again.`);
  }
}

/** Resolves when the index is there and valid. Builds nothing when it already is; the definition is then not compared. */
export async function createIndexConcurrently(runner: QueryRunner, index: ConcurrentIndex): Promise<void> {
  if (runner.isTransactionActive) {
    throw new Error(`${index.name}: an index cannot be built concurrently in a transaction; set transaction = false.`);
  }
  const rows = (await runner.query(
    "select relkind as kind from pg_class where relname = $1 and relnamespace = 'public'::regnamespace",
    [index.table],
  )) as { kind: string }[];
  const kind = rows[0]?.kind;
  if (kind === 'p') await buildOnPartitions(runner, index);
  else if (kind === 'r') await buildOnTable(runner, index);
  else throw new Error(`${index.name}: there is no table ${index.table}.`);
}
