import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { RecordParser } from './record-parser';

function fieldsOf(text: string): string[] | 'open' | 'broken' {
  const parser = new RecordParser();
  let state: string = 'open';
  for (const line of text.split('\n')) {
    if (state !== 'open') return 'broken'; // more lines than the record has
    state = parser.feed(line);
  }
  return state === 'complete' ? parser.fields : (state as 'open' | 'broken');
}

function reference(text: string): string[] | 'refused' {
  try {
    const records = parse(text, { relax_column_count: true, record_delimiter: '\n' });
    return records.length === 1 ? records[0]! : 'refused';
  } catch {
    return 'refused';
  }
}

describe('RecordParser', () => {
  it('agrees with csv-parse on every text, about the fields and about what is no record', () => {
    const text = fc
      .array(fc.constantFrom('"', '""', ',', 'a', 'bc', ' ', '\n'), { minLength: 1, maxLength: 12 })
      .map((parts) => parts.join(''))
      .filter((joined) => !joined.startsWith('\n') && !joined.endsWith('\n'));
    fc.assert(
      fc.property(text, (record) => {
        const expected = reference(record);
        const found = fieldsOf(record);
        if (expected === 'refused') expect(typeof found).toBe('string');
        else expect(found).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['a,b', ['a', 'b']],
    ['', ['']],
    [',', ['', '']],
    ['"a ""quoted"" word",x', ['a "quoted" word', 'x']],
    ['"two\nlines",x', ['two\nlines', 'x']],
    ['"",""', ['', '']],
    ['"open', 'open'],
    ['"a"b', 'broken'],
    ['a"b', 'broken'],
  ])('reads %j', (text, expected) => {
    expect(fieldsOf(text)).toEqual(expected);
  });
});
