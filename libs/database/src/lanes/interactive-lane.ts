/**
 * What stands as the connection of a TypeORM query runner in one tenant transaction. States: unopened → open → closed.
 * Opening waits for the first query: BEGIN, the entry and that query travel in one flight, and a transaction that asks
 * nothing costs nothing. Savepoints of TypeORM's nested transactions must nest: two at once would share a name.
 */
import { StockyardError } from '#libs/kernel';

export interface LaneResult {
  readonly rows: unknown[];
  readonly rowCount: number | null;
  readonly command: string;
}

/** Sends statements of the open transaction. */
export type SendQuery = (text: string, values: readonly unknown[]) => Promise<LaneResult>;

/** A transaction that is open, and what became of the query that came with its opening. */
export interface OpenedLane {
  readonly send: SendQuery;
  /** The transaction is open even if its first query failed: it can only be rolled back then. */
  readonly first: LaneResult | { readonly failure: unknown };
}

export interface LaneOpener {
  /** Opens the transaction and runs its first query in the same flight. Rejects where it could not be opened. */
  open(text: string, values: readonly unknown[]): Promise<OpenedLane>;
}

const SAVEPOINT = /^SAVEPOINT (\w+)/;
const END_OF_SAVEPOINT = /^(?:RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT) (\w+)/;
const ENDS_TRANSACTION = /^\s*(?:BEGIN|START\s+TRANSACTION|COMMIT|ROLLBACK(?!\s+TO)|END|ABORT)\b/i;

export class InteractiveLane {
  private send: SendQuery | undefined;
  private opening: Promise<OpenedLane> | undefined;
  private closed = false;
  private readonly savepoints: string[] = [];

  constructor(private readonly opener: LaneOpener) {}

  get isOpen(): boolean {
    return this.send !== undefined;
  }

  /** As pg's client.query(text, values). */
  async query(text: unknown, values: readonly unknown[] = []): Promise<LaneResult> {
    if (typeof text !== 'string') throw internal('streams_unsupported', 'Streams are not for tenant transactions.');
    if (this.closed)
      throw internal('transaction_closed', 'The manager of a tenant transaction was used after its end.');
    if (ENDS_TRANSACTION.test(text))
      throw internal('transaction_control', 'A tenant transaction ends with its function.');
    this.nest(text);
    if (this.opening) await this.opening.catch(() => undefined); // whoever opened is told why it failed
    if (this.send) return this.send(text, values);
    const opened = this.opener.open(text, values);
    this.opening = opened;
    try {
      const { first, send } = await opened;
      this.send = send;
      if ('failure' in first) throw first.failure;
      return first;
    } finally {
      this.opening = undefined;
    }
  }

  /** No query any more. Resolves when none is being opened. */
  async close(): Promise<void> {
    this.closed = true;
    await this.opening?.catch(() => undefined);
  }

  /** TypeORM listens for lost connections; here each query tells. */
  on(): this {
    return this;
  }

  removeListener(): this {
    return this;
  }

  private nest(text: string): void {
    const [, begun] = SAVEPOINT.exec(text) ?? [];
    if (begun !== undefined) {
      if (this.savepoints.includes(begun)) {
        throw internal(
          'parallel_transactions',
          'Nested transactions of one tenant transaction cannot run in parallel.',
        );
      }
      this.savepoints.push(begun);
    }
    const [, ended] = END_OF_SAVEPOINT.exec(text) ?? [];
    if (ended !== undefined) this.savepoints.splice(this.savepoints.lastIndexOf(ended), 1);
  }
}

function internal(code: string, message: string): StockyardError {
  return new StockyardError({ code, category: 'internal', message });
}
