/** Splits a stream of bytes into lines, remembering where each ends, so that reading can go on from any of them. */

export interface Line {
  /** 1 is the first line of the file. */
  readonly number: number;
  /** Without the line break; undefined for a line that is too long, of which nothing is kept. */
  readonly bytes: Buffer | undefined;
  /** Offset of the byte after the line break. */
  readonly end: number;
}

/** A place between two lines. */
export interface Position {
  /** Bytes before it. */
  readonly offset: number;
  /** Lines before it. */
  readonly line: number;
}

/** Lines end with LF or CRLF. */
export const MAX_LINE_BYTES = 64 * 1024;
const LF = 0x0a;
const CR = 0x0d;

export async function* splitLines(source: AsyncIterable<Uint8Array>, from: Position): AsyncGenerator<Line, void> {
  let { offset, line: number } = from;
  let held: Buffer[] = [];
  let heldBytes = 0;

  const finish = (end: number): Line => {
    number += 1;
    const line = { number, bytes: heldBytes > MAX_LINE_BYTES ? undefined : withoutBreak(held), end };
    held = [];
    heldBytes = 0;
    return line;
  };
  const hold = (part: Buffer): void => {
    heldBytes += part.length;
    if (heldBytes <= MAX_LINE_BYTES) held.push(part);
    else held = []; // counted, not kept: a file without line breaks takes no memory
  };

  for await (const bytes of source) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let start = 0;
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, start)) {
      hold(chunk.subarray(start, at));
      start = at + 1;
      yield finish(offset + start);
    }
    hold(chunk.subarray(start));
    offset += chunk.length;
  }
  if (heldBytes > 0) yield finish(offset);
}

function withoutBreak(parts: readonly Buffer[]): Buffer {
  const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  return bytes[bytes.length - 1] === CR ? bytes.subarray(0, -1) : bytes;
}
