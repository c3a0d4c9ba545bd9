/**
 * Reads the messages of the plugin pgoutput, version 1 of its protocol (PostgreSQL manual, 55.9 "Logical Replication Message
 * Formats"). Values stay text, which is what keeps microseconds, numerics and the spelling of JSON; a value of
 * `undefined` is a TOASTed one that did not change and is not in the log.
 */

export type LoggedRow = Readonly<Record<string, string | null | undefined>>;

export type LogMessage =
  | { readonly kind: 'begin'; readonly commitLsn: bigint }
  /** `endLsn` is where to go on after this transaction. */
  | { readonly kind: 'commit'; readonly endLsn: bigint }
  | { readonly kind: 'insert'; readonly table: string; readonly row: LoggedRow }
  /** `key` is the former key, where it changed. */
  | { readonly kind: 'update'; readonly table: string; readonly row: LoggedRow; readonly key: LoggedRow | undefined }
  | { readonly kind: 'delete'; readonly table: string; readonly key: LoggedRow }
  | { readonly kind: 'mark'; readonly prefix: string; readonly content: string }
  /** Not of the plugin: the server has sent everything that ended before `end`. */
  | { readonly kind: 'alive'; readonly end: bigint };

interface Relation {
  readonly name: string;
  readonly columns: readonly string[];
}

class Reader {
  private at = 0;
  constructor(private readonly bytes: Buffer) {}

  byte(): number {
    return this.bytes.readUInt8(this.at++);
  }
  letter(): string {
    return String.fromCharCode(this.byte());
  }
  int16(): number {
    this.at += 2;
    return this.bytes.readInt16BE(this.at - 2);
  }
  int32(): number {
    this.at += 4;
    return this.bytes.readInt32BE(this.at - 4);
  }
  int64(): bigint {
    this.at += 8;
    return this.bytes.readBigUInt64BE(this.at - 8);
  }
  /** Up to the next zero byte. */
  string(): string {
    const end = this.bytes.indexOf(0, this.at);
    const text = this.bytes.toString('utf8', this.at, end);
    this.at = end + 1;
    return text;
  }
  text(length: number): string {
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }
}

/** Holds the relations that the server has described so far; one for each connection. */
export class PgOutputDecoder {
  private readonly relations = new Map<number, Relation>();

  /** Undefined for messages that only describe. `bytes` may be reused after the call. */
  decode(bytes: Buffer): LogMessage | undefined {
    const reader = new Reader(bytes);
    const tag = reader.letter();
    switch (tag) {
      case 'B':
        return { kind: 'begin', commitLsn: reader.int64() };
      case 'C':
        reader.byte();
        reader.int64();
        return { kind: 'commit', endLsn: reader.int64() };
      case 'I':
        return this.insert(reader);
      case 'U':
        return this.update(reader);
      case 'D':
        return this.delete(reader);
      case 'M':
        return mark(reader);
      case 'R':
        this.describe(reader);
        return undefined;
      case 'O': // where a change came from, before this server
      case 'Y': // the name of a type
        return undefined;
      default:
        throw new Error(`The log holds a message of an unknown kind: ${tag}.`);
    }
  }

  private describe(reader: Reader): void {
    const id = reader.int32();
    reader.string(); // schema: moved tables stand in public
    const name = reader.string();
    reader.byte();
    const columns = Array.from({ length: reader.int16() }, () => {
      reader.byte();
      const column = reader.string();
      reader.int32();
      reader.int32();
      return column;
    });
    this.relations.set(id, { name, columns });
  }

  private insert(reader: Reader): LogMessage {
    const relation = this.relation(reader);
    reader.letter();
    return { kind: 'insert', table: relation.name, row: tuple(reader, relation) };
  }

  private update(reader: Reader): LogMessage {
    const relation = this.relation(reader);
    let key: LoggedRow | undefined;
    if (reader.letter() !== 'N') {
      key = tuple(reader, relation);
      reader.letter();
    }
    return { kind: 'update', table: relation.name, row: tuple(reader, relation), key };
  }

  private delete(reader: Reader): LogMessage {
    const relation = this.relation(reader);
    reader.letter();
    return { kind: 'delete', table: relation.name, key: tuple(reader, relation) };
  }

  private relation(reader: Reader): Relation {
    const relation = this.relations.get(reader.int32());
    if (!relation) throw new Error('The log changes a table that it has not described.');
    return relation;
  }
}

function mark(reader: Reader): LogMessage {
  reader.byte();
  reader.int64();
  const prefix = reader.string();
  return { kind: 'mark', prefix, content: reader.text(reader.int32()) };
}

function tuple(reader: Reader, relation: Relation): LoggedRow {
  const row: Record<string, string | null | undefined> = {};
  const count = reader.int16();
  for (let at = 0; at < count; at += 1) {
    const column = relation.columns[at]!;
    const kind = reader.letter();
    if (kind === 't') row[column] = reader.text(reader.int32());
    else if (kind === 'n') row[column] = null;
    else if (kind === 'u') row[column] = undefined;
    else throw new Error(`The log holds a value of an unknown kind: ${kind}.`);
  }
  return row;
}
