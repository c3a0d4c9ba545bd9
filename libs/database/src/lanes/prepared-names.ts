/**
 * What is known of the named statements on one connection. A name is parsed once and described once; after that its rows
 * need no description. When a flight fails, which of its new names exist is not known: the next use closes such a
 * name first (Close of an unknown name is no error) and parses it again.
 */
import { DATABASE_TYPES } from './types';

export interface FieldDescription {
  readonly name: string;
  readonly dataTypeID: number;
}

type Parser = (text: string) => unknown;

export class Prepared {
  /** Closed and parsed again before its next use. */
  uncertain = false;
  private proven = false;
  private names: readonly string[] = [];
  private parsers: readonly Parser[] = [];
  private described = false;

  /** Whether rows of it can be read. */
  get isDescribed(): boolean {
    return this.described;
  }

  /** `fields` as the server describes them; none for a statement without rows. */
  describe(fields: readonly FieldDescription[]): void {
    this.names = fields.map(({ name }) => name);
    this.parsers = fields.map(
      ({ dataTypeID }) => DATABASE_TYPES.getTypeParser(dataTypeID, 'text') as unknown as Parser,
    );
    this.described = true;
  }

  /** It ran to its end once: the server has it, and if no description came it has no rows. */
  complete(): void {
    this.proven = true;
    this.described = true;
  }

  /** Its flight failed at it or before it. `planLost`: the server says that the statement itself is gone or outdated. */
  fail(planLost: boolean): void {
    if (planLost || !this.proven) this.uncertain = true;
  }

  /** A row object of the values of one DataRow message. Throws where a value does not fit JavaScript. */
  row(values: readonly (string | null)[]): Record<string, unknown> {
    const row: Record<string, unknown> = {};
    for (let index = 0; index < values.length; index += 1) {
      const value = values[index] ?? null;
      row[this.names[index]!] = value === null ? null : this.parsers[index]!(value);
    }
    return row;
  }
}

const connections = new WeakMap<object, Map<string, Prepared>>();

/** The names of a connection, by name. */
export function preparedNames(connection: object): Map<string, Prepared> {
  const known = connections.get(connection);
  if (known) return known;
  const made = new Map<string, Prepared>();
  connections.set(connection, made);
  return made;
}
