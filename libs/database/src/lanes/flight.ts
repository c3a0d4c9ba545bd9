/**
 * Flight: several statements on one network flight and in one implicit transaction. A custom submittable of
 * node-postgres: Parse/Bind/Describe/Execute for each statement, then one Sync. Everything before a Sync is one
 * transaction, and after an error the server skips to the Sync and rolls back (PostgreSQL manual, "Message Flow",
 * extended query, pipelining). BEGIN and COMMIT are never sent.
 *
 * Named statements are parsed once a connection. When a flight fails, which of its new names exist is not known,
 * so the next use closes them first (Close of an unknown name is no error).
 */
import pg, { type Connection, Result, type Submittable } from 'pg';
import { DATABASE_TYPES } from './types';

export interface FlightStatement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The part of pg's Connection that a flight uses; its published types lack it. */
interface WireConnection {
  parse(query: { name: string; text: string }): void;
  bind(config: {
    portal: string;
    statement: string;
    values: readonly unknown[];
    valueMapper: (value: unknown, index: number) => unknown;
  }): void;
  describe(message: { type: 'P'; name: string }): void;
  execute(config: { portal: string; rows: number }): void;
  close(message: { type: 'S'; name: string }): void;
  sync(): void;
  stream: { cork(): void; uncork(): void };
}

interface WireResult {
  rows: unknown[];
  rowCount: number | null;
  addFields(fields: unknown): void;
  parseRow(fields: unknown): unknown;
  addRow(row: unknown): void;
  addCommandComplete(message: unknown): void;
}

type NameState = 'parsed' | 'uncertain';

const preparedNames = new WeakMap<object, Map<string, NameState>>();
const { prepareValue } = (pg as unknown as { utils: { prepareValue: (value: unknown) => unknown } }).utils;

function newResult(): WireResult {
  return new (Result as unknown as new (mode: undefined, types: unknown) => WireResult)(undefined, DATABASE_TYPES);
}

export class Flight implements Submittable {
  /** Resolves with one result a statement once the server has committed; rejects with the first error. */
  readonly results: Promise<WireResult[]>;
  private readonly collected: WireResult[];
  private readonly freshNames: string[] = [];
  private current = 0;
  private failure: Error | undefined;
  private names: Map<string, NameState> | undefined;
  private settle!: { resolve(results: WireResult[]): void; reject(error: Error): void };

  constructor(
    private readonly statements: readonly FlightStatement[],
    private readonly prepare: boolean,
  ) {
    this.collected = statements.map(newResult);
    this.results = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
  }

  submit(connection: Connection): void {
    const wire = connection as unknown as WireConnection;
    this.names = preparedNames.get(wire) ?? new Map<string, NameState>();
    preparedNames.set(wire, this.names);
    wire.stream.cork();
    try {
      for (const statement of this.statements) this.send(wire, statement);
    } catch (error) {
      // A value that cannot be bound: what was sent so far must not run on to a Sync. `fail` on the wire aborts it.
      this.failure = error as Error;
      wire.parse({ name: '', text: 'a statement of this flight could not be bound' });
    } finally {
      wire.sync();
      wire.stream.uncork();
    }
  }

  private send(wire: WireConnection, statement: FlightStatement): void {
    const name = this.prepare ? statement.name : '';
    const state = name === '' ? undefined : this.names?.get(name);
    if (state === 'uncertain') wire.close({ type: 'S', name });
    if (state !== 'parsed') {
      wire.parse({ name, text: statement.text });
      if (name !== '') {
        this.names?.set(name, 'parsed'); // the same statement may stand twice in one flight
        this.freshNames.push(name);
      }
    }
    wire.bind({ portal: '', statement: name, values: statement.values, valueMapper: prepareValue });
    wire.describe({ type: 'P', name: '' });
    wire.execute({ portal: '', rows: 0 });
  }

  handleRowDescription(message: { fields: unknown }): void {
    this.collected[this.current]?.addFields(message.fields);
  }

  handleDataRow(message: { fields: unknown }): void {
    const result = this.collected[this.current];
    try {
      result?.addRow(result.parseRow(message.fields));
    } catch (error) {
      this.failure ??= error as Error;
    }
  }

  handleCommandComplete(message: unknown): void {
    this.collected[this.current]?.addCommandComplete(message);
    this.current += 1;
  }

  handleEmptyQuery(): void {
    this.current += 1;
  }

  handleError(error: Error): void {
    for (const name of this.freshNames) this.names?.set(name, 'uncertain');
    this.settle.reject(this.failure ?? error);
  }

  handleReadyForQuery(): void {
    if (this.failure) this.settle.reject(this.failure);
    else this.settle.resolve(this.collected);
  }

  handlePortalSuspended(): void {
    // never: every Execute asks for all rows
  }

  handleCopyInResponse(connection: { sendCopyFail(message: string): void }): void {
    connection.sendCopyFail('COPY is not for tenant flights.');
  }

  handleCopyData(): void {
    // never: COPY is refused above
  }
}
