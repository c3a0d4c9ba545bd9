/**
 * Flight: several statements in one network write and one implicit transaction. A custom submittable of node-postgres:
 * Parse/Bind/Execute for each statement, then one Sync. Everything before a Sync is one transaction, and after an
 * error the server skips to the Sync and rolls back (PostgreSQL manual, "Message Flow", extended query, pipelining). BEGIN
 * and COMMIT are never sent. All messages go out as one buffer: a write a message costs as much as the statement itself.
 *
 * A `tail` is a statement behind the Sync, so that it sees what the commit left (the WAL position). Its bytes travel in
 * the same write; its answer belongs to FlightTail, which must be submitted right behind the flight.
 */
import pg, { type Connection, type Submittable } from 'pg';
import { serialize } from 'pg-protocol';
import { type FieldDescription, Prepared, preparedNames } from './prepared-names';

export interface FlightStatement {
  /** Of the server-side prepared statement, at most 63 bytes; empty: parsed each time. */
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
  /** The last of a flight, behind a COMMIT: what it fails with says nothing of the work, which then has no result for it. */
  readonly afterCommit?: true;
}

export interface FlightResult {
  readonly rows: Record<string, unknown>[];
  /** Of the command tag; null for commands without a count. */
  readonly rowCount: number | null;
  /** First word of the command tag, such as `COMMIT`. */
  readonly command: string;
}

const { prepareValue } = (pg as unknown as { utils: { prepareValue: (value: unknown) => unknown } }).utils;
const EXECUTE = serialize.execute();
const DESCRIBE = serialize.describe({ type: 'P', name: '' });
const SYNC = serialize.sync();
/** Parses to an error, so that what was sent before it is rolled back. */
const ABORT = serialize.parse({ text: 'a statement of this flight could not be bound' });

/**
 * True where the server has lost a prepared statement (26000: a pooler gave another connection) or its result has changed
 * (0A000: a migration changed a column). Everything was rolled back; the next try parses it anew.
 */
export function isPlanLost(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return code === '26000' || (code === '0A000' && message === 'cached plan must not change result type');
}

interface Collected {
  rows: Record<string, unknown>[];
  rowCount: number | null;
  command: string;
}

export class Flight implements Submittable {
  /** Resolves with one result a statement once the server has committed; rejects with the first error. */
  readonly results: Promise<FlightResult[]>;
  protected readonly prepared: Prepared[] = [];
  private readonly collected: Collected[] = [];
  private rows: Record<string, unknown>[] = [];
  private failure: Error | undefined;
  private settle!: { resolve(results: FlightResult[]): void; reject(error: Error): void };

  constructor(
    private readonly statements: readonly FlightStatement[],
    /** Whether statements are kept by their names; off for poolers that cannot. */
    protected readonly prepare: boolean,
    private readonly tail?: FlightTail,
  ) {
    this.results = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
  }

  /** Rejects while the answer is still out; the connection is of no more use then. */
  abort(error: Error): void {
    this.settle.reject(error);
  }

  submit(connection: Connection): void {
    const messages: Buffer[] = [];
    try {
      for (const statement of this.statements) this.prepared.push(write(messages, connection, statement, this.prepare));
    } catch (error) {
      this.failure = error as Error; // a value that cannot be bound
      messages.push(ABORT);
    }
    messages.push(SYNC);
    if (this.tail) this.tail.writeTo(messages, connection);
    (connection as unknown as { stream: { write(bytes: Buffer): void } }).stream.write(Buffer.concat(messages));
  }

  handleRowDescription({ fields }: { fields: readonly FieldDescription[] }): void {
    this.prepared[this.collected.length]?.describe(fields);
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    try {
      this.rows.push(this.prepared[this.collected.length]!.row(fields));
    } catch (error) {
      this.failure ??= error as Error;
    }
  }

  handleCommandComplete({ text }: { text: string }): void {
    this.prepared[this.collected.length]!.complete();
    this.collected.push({ rows: this.rows, rowCount: countOf(text), command: commandOf(text) });
    this.rows = [];
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete({ text: '' });
  }

  handleError(error: Error): void {
    const planLost = isPlanLost(error);
    for (const prepared of this.prepared.slice(this.collected.length)) prepared.fail(planLost);
    if (this.statements[this.collected.length]?.afterCommit) this.settle.resolve(this.collected);
    else this.settle.reject(this.failure ?? error);
  }

  handleReadyForQuery(): void {
    if (this.failure) this.settle.reject(this.failure);
    else this.settle.resolve(this.collected);
  }

  handlePortalSuspended(): void {
    // never: every Execute asks for all rows
  }

  /** A server that waits for data has ignored the flight's own Sync. */
  handleCopyInResponse(connection: { sendCopyFail(message: string): void; sync(): void }): void {
    connection.sendCopyFail('COPY is not for tenant flights.');
    connection.sync();
  }

  handleCopyData(): void {
    // never: COPY is refused above
  }
}

/** The answer to the statement behind a flight's Sync. Writes nothing itself. */
export class FlightTail extends Flight {
  constructor(
    private readonly statement: FlightStatement,
    prepare: boolean,
  ) {
    super([statement], prepare);
  }

  writeTo(messages: Buffer[], connection: Connection): void {
    this.prepared.push(write(messages, connection, this.statement, this.prepare));
    messages.push(SYNC);
  }

  override submit(): void {
    // sent with the flight in front of it
  }
}

/** `INSERT 0 5` → INSERT. */
function commandOf(tag: string): string {
  const end = tag.indexOf(' ');
  return end < 0 ? tag : tag.slice(0, end);
}

/** `INSERT 0 5` → 5; null for tags without a count, such as `CREATE TABLE`. */
function countOf(tag: string): number | null {
  const space = tag.lastIndexOf(' ');
  const count = space < 0 ? NaN : Number(tag.slice(space + 1));
  return Number.isNaN(count) ? null : count;
}

/** Adds the messages of one statement; the name's state on this connection decides which. */
function write(
  messages: Buffer[],
  connection: object,
  { name, text, values }: FlightStatement,
  prepare: boolean,
): Prepared {
  const kept = prepare && name !== '';
  const wireName = kept ? name : '';
  const names = preparedNames(connection);
  let prepared = kept ? names.get(name) : undefined;
  if (prepared?.uncertain) {
    messages.push(serialize.close({ type: 'S', name }));
    prepared = undefined;
  }
  // Bound first: a value that cannot be bound leaves no name behind that nobody parsed.
  const bind = serialize.bind({ statement: wireName, values: values as unknown[], valueMapper: prepareValue });
  if (!prepared) {
    prepared = new Prepared();
    if (kept) names.set(name, prepared);
    messages.push(serialize.parse({ name: wireName, text }));
  }
  messages.push(bind);
  if (!prepared.isDescribed) messages.push(DESCRIBE);
  messages.push(EXECUTE);
  return prepared;
}
