/**
 * Parses one CSV record (RFC 4180) that is fed line by line, because only the quotes tell whether the next line belongs
 * to it. A parser that reads whole streams would not let go of a record whose quote was never closed.
 */

export type ParseState = 'complete' | 'open' | 'broken';

export class RecordParser {
  /** The fields, once the state is `complete`. */
  readonly fields: string[] = [];
  private quoted: string | undefined;

  /** `open`: a quoted field goes on in the next line. `broken`: the quotes are not those of CSV. */
  feed(line: string): ParseState {
    let at = 0;
    if (this.quoted !== undefined) this.quoted += '\n';
    for (;;) {
      if (this.quoted !== undefined || line[at] === '"') {
        const end = this.readQuoted(line, at);
        if (end === undefined) return 'open';
        if (end < line.length && line[end] !== ',') return 'broken';
        at = end;
      } else {
        const comma = line.indexOf(',', at);
        const field = line.slice(at, comma === -1 ? undefined : comma);
        if (field.includes('"')) return 'broken';
        this.fields.push(field);
        at += field.length;
      }
      if (at === line.length) return 'complete';
      at += 1; // the comma
    }
  }

  /** Reads on in a quoted field; the index after its closing quote, or undefined when the line ends before. */
  private readQuoted(line: string, from: number): number | undefined {
    let at = from;
    if (this.quoted === undefined) {
      this.quoted = '';
      at += 1;
    }
    for (;;) {
      const quote = line.indexOf('"', at);
      if (quote === -1) {
        this.quoted += line.slice(at);
        return undefined;
      }
      this.quoted += line.slice(at, quote);
      if (line[quote + 1] !== '"') {
        this.fields.push(this.quoted);
        this.quoted = undefined;
        return quote + 1;
      }
      this.quoted += '"';
      at = quote + 2;
    }
  }
}
