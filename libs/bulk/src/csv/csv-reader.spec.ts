import fc from 'fast-check';
import { stringify } from 'csv-stringify/sync';
import { CsvReader, type CsvRecord } from './csv-reader';
import { MAX_LINE_BYTES } from './line-splitter';

const START = { offset: 0, line: 0 };

/** A stream of the text in chunks of a size that cuts through lines and characters. */
async function* stream(content: string | Buffer, chunkBytes = 7): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

async function read(content: string | Buffer, columns?: number, chunkBytes?: number): Promise<CsvRecord[]> {
  const records: CsvRecord[] = [];
  for await (const record of new CsvReader(stream(content, chunkBytes), START, columns).records()) records.push(record);
  return records;
}

const brief = (records: readonly CsvRecord[]) =>
  records.map((record) => [record.line, 'fields' in record ? record.fields : record.problem.code]);

describe('CsvReader', () => {
  it('reads what a CSV writer wrote, whatever the values', async () => {
    const value = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !/[\0\r\n]/.test(text));
    const multiline = fc.tuple(value, value).map(([a, b]) => `${a}\n${b}`);
    // The first column is never blank: a line of blanks is no record.
    const row = fc.tuple(fc.constant('x'), fc.oneof(value, multiline), value);
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 10 }), fc.integer({ min: 1, max: 64 }), async (rows, chunkBytes) => {
        const records = await read(stringify(rows), 3, chunkBytes);
        expect(records.map((record) => ('fields' in record ? record.fields : record.problem))).toEqual(rows);
      }),
    );
  });

  it('gives up one line, and only that, wherever a broken one stands', async () => {
    const broken = fc.constantFrom('"open,2', 'a"b",2', '"a"b,2', '1', '1,2,3', '"', '"x\ny",', '""",1');
    const good = fc.array(fc.constantFrom('1,2', '"a ""b""",2', '3,"x, y"'), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(good, broken, good, async (before, bad, after) => {
        const records = await read([...before, bad, ...after].join('\n'), 2);
        const fine = records.filter((record) => 'fields' in record).length;
        expect(fine).toBeGreaterThanOrEqual(before.length + after.length);
        const blamed = records.filter((record) => 'problem' in record).map((record) => record.line);
        const lines = bad.split('\n').length;
        for (const line of blamed) {
          expect(line).toBeGreaterThan(before.length);
          expect(line).toBeLessThanOrEqual(before.length + lines);
        }
      }),
    );
  });

  it('goes on at the position of any record', async () => {
    const text = 'a,1\r\n"b\nb",2\n\nbroken\nc,3\n';
    const records = await read(text, 2);
    for (const [index, { next }] of records.entries()) {
      const rest = Buffer.from(text).subarray(next.offset);
      const again: CsvRecord[] = [];
      for await (const record of new CsvReader(stream(rest), next, 2).records()) again.push(record);
      expect(again).toEqual(records.slice(index + 1));
    }
  });

  it('numbers lines as an editor does: line breaks in fields, empty lines and CRLF included', async () => {
    expect(brief(await read('\ufeffh,i\r\n\r\n"a\nb",1\r\n  \nc,2', 2))).toEqual([
      [1, ['h', 'i']],
      [3, ['a\nb', '1']],
      [6, ['c', '2']],
    ]);
  });

  it('refuses a line of more than 64 KiB and reads on', async () => {
    const long = `${'x'.repeat(MAX_LINE_BYTES + 1)},1`;
    expect(brief(await read(`a,1\n${long}\nb,2`, 2, 8_192))).toEqual([
      [1, ['a', '1']],
      [2, 'line_too_long'],
      [3, ['b', '2']],
    ]);
  });

  it('names lines that are no text', async () => {
    const bytes = Buffer.concat([
      Buffer.from('a,1\n'),
      Buffer.from([0xff, 0xfe, 0x2c, 0x31, 0x0a]),
      Buffer.from('b\0,2\nc,3'),
    ]);
    expect(brief(await read(bytes, 2))).toEqual([
      [1, ['a', '1']],
      [2, 'invalid_encoding'],
      [3, 'invalid_encoding'],
      [4, ['c', '3']],
    ]);
  });

  it('does not let an unclosed quote swallow the lines behind it', async () => {
    const rows = Array.from({ length: 20_000 }, (_, index) => `sku-${index},plain`);
    rows[10] = 'sku-10,"open';
    const records = await read(rows.join('\n'), 2, 65_536);
    expect(records).toHaveLength(rows.length);
    expect(brief(records.filter((record) => 'problem' in record))).toEqual([[11, 'unclosed_quote']]);
  });

  it('reads nothing from an empty file', async () => {
    expect(await read('')).toEqual([]);
    expect(await read('\n\n')).toEqual([]);
  });
});
