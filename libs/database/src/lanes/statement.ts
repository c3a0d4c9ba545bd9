/** The unit that the statement and batch lanes send. */

export interface Statement {
  /** Name of the server-side prepared statement; unique for its text across the code base, at most 63 bytes. */
  readonly name: string;
  /** SQL. `$1` is always the organization id, bound by the gateway; a caller's values begin at `$2`. */
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface StatementResult<Row> {
  readonly rows: Row[];
  /** Rows that the command tag counts; null for commands without a count. */
  readonly rowCount: number | null;
}

/** Builds a statement; a text without `$1` forgets the tenant predicate and is refused. */
export function tenantStatement(name: string, text: string): (...values: readonly unknown[]) => Statement {
  if (!text.includes('$1')) throw new Error(`Statement ${name} does not name its organization ($1).`);
  return (...values) => ({ name, text, values });
}
