/**
 * Reads CSV records one by one, whatever is wrong with some of them. A quoted field may span lines; when such a record
 * does not come out with the expected columns, only its first line is given up, and reading goes on with the second:
 * one forgotten quote costs one line, not the rest of the file. Memory is bounded by the longest record, 64 KiB.
 */
import { type Line, MAX_LINE_BYTES, type Position, splitLines } from './line-splitter';
import { RecordParser } from './record-parser';

export interface CsvProblem {
  readonly code: string;
  readonly field: string | null;
  readonly message: string;
}

export type CsvRecord = {
  /** Number of its first line. */
  readonly line: number;
  /** Where to go on after it. */
  readonly next: Position;
} & ({ readonly fields: readonly string[] } | { readonly problem: CsvProblem });

const COMPACT_AT = 4_096;

const problem = (code: string, message: string): CsvProblem => ({ code, field: null, message });

const TOO_LONG = problem('line_too_long', `The line is longer than ${MAX_LINE_BYTES} bytes.`);
const ENCODING = problem('invalid_encoding', 'The line is not UTF-8 text.');
const UNCLOSED = problem('unclosed_quote', 'A quoted field that begins here has no proper end.');
const MALFORMED = problem('malformed_line', 'The quotes of the line are not those of CSV.');

const columnCount = (expected: number, found: number): CsvProblem =>
  problem('column_count', `The line has ${found} columns, the header ${expected}.`);

interface Attempt {
  readonly lines: number;
  readonly outcome: { readonly fields: readonly string[] } | { readonly problem: CsvProblem };
}

export class CsvReader {
  private readonly lines: AsyncGenerator<Line, void>;
  /** Lines that were read ahead; those before `taken` are done with. */
  private ahead: Line[] = [];
  private taken = 0;
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });

  /** `columns` is the number that every record must have; undefined accepts any. */
  constructor(
    source: AsyncIterable<Uint8Array>,
    from: Position,
    private readonly columns?: number,
  ) {
    this.lines = splitLines(source, from);
  }

  async *records(): AsyncGenerator<CsvRecord> {
    for (let first = await this.peek(0); first; first = await this.peek(0)) {
      if (first.bytes && first.bytes.every((byte) => byte === 0x20 || byte === 0x09)) {
        this.taken += 1; // an empty line is no record
        continue;
      }
      const { lines, outcome } = await this.attempt(first);
      this.taken += lines;
      const last = this.ahead[this.taken - 1]!;
      yield { line: first.number, next: { offset: last.end, line: last.number }, ...outcome };
    }
  }

  private async attempt(first: Line): Promise<Attempt> {
    const start = this.text(first);
    if (typeof start !== 'string') return { lines: 1, outcome: { problem: start } };
    const parser = new RecordParser();
    let state = parser.feed(start);
    let lines = 1;
    for (let length = start.length; state === 'open'; lines += 1) {
      const line = await this.peek(lines);
      const more = line && this.text(line);
      length += typeof more === 'string' ? more.length : 0;
      if (typeof more !== 'string' || length > MAX_LINE_BYTES) return { lines: 1, outcome: { problem: UNCLOSED } };
      state = parser.feed(more);
    }
    const outcome = state === 'broken' ? { problem: MALFORMED } : this.counted(parser.fields);
    if (lines > 1 && 'problem' in outcome) return { lines: 1, outcome: { problem: UNCLOSED } };
    return { lines, outcome };
  }

  private counted(fields: readonly string[]): Attempt['outcome'] {
    const expected = this.columns ?? fields.length;
    return fields.length === expected ? { fields } : { problem: columnCount(expected, fields.length) };
  }

  private text({ bytes }: Line): string | CsvProblem {
    if (!bytes) return TOO_LONG;
    try {
      const text = this.decoder.decode(bytes);
      return text.includes('\0') ? ENCODING : text;
    } catch {
      return ENCODING;
    }
  }

  private async peek(distance: number): Promise<Line | undefined> {
    if (this.taken >= COMPACT_AT) {
      this.ahead.splice(0, this.taken);
      this.taken = 0;
    }
    while (this.ahead.length <= this.taken + distance) {
      const next: IteratorResult<Line, unknown> = await this.lines.next();
      if (next.done) return undefined;
      this.ahead.push(next.value);
    }
    return this.ahead[this.taken + distance];
  }
}
