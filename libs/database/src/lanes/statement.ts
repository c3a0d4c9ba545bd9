/** The unit that the statement and batch lanes send. */

/**
 * Who may answer a read: `replica`, any node that has replayed what the caller has seen; `primary`, the newest there is (a
 * credential that may just have been revoked), and a replica only while there is no primary.
 */
export type ReadFrom = 'replica' | 'primary';

export interface Statement {
  /** Name of the server-side prepared statement; unique for its text across the code base, at most 63 bytes. */
  readonly name: string;
  /** SQL. `$1` is always the organization id, bound by the gateway; a caller's values begin at `$2`. */
  readonly text: string;
  readonly values: readonly unknown[];
  /** Set for reads, which run in a read-only transaction; absent for everything that may write. */
  readonly reads?: ReadFrom;
}

export interface StatementResult<Row> {
  readonly rows: Row[];
  /** Rows that the command tag counts; null for commands without a count. */
  readonly rowCount: number | null;
}

type Build = (...values: readonly unknown[]) => Statement;

const declared = new Map<string, string>();

/** Texts of all statements that the loaded modules have, by name. */
export const declaredStatements = (): ReadonlyMap<string, string> => declared;

function checked(name: string, text: string): void {
  if (!text.includes('$1')) throw new Error(`Statement ${name} does not name its organization ($1).`);
  if ((declared.get(name) ?? text) !== text) throw new Error(`Another statement is called ${name} already.`);
  declared.set(name, text);
}

/** Builds a statement that may write; a text without `$1` forgets the tenant predicate and is refused. */
export function tenantStatement(name: string, text: string): Build {
  checked(name, text);
  return (...values) => ({ name, text, values });
}

/** Builds a statement that only reads. A write in it fails wherever it runs. */
export function tenantRead(name: string, text: string, reads: ReadFrom = 'replica'): Build {
  checked(name, text);
  return (...values) => ({ name, text, values, reads });
}
