import * as fc from 'fast-check';
import { EventParser, type ServerEvent } from './event-parser';

const parse = (chunks: readonly string[]): ServerEvent[] => {
  const parser = new EventParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
};

describe('EventParser', () => {
  it('reads events, comments and fields that it does not know', () => {
    const text = ': hello\n\nevent: view\nid: 7\nretry: 10\ndata: {"a":1}\n\ndata:no blank\n\nevent: end\ndata\n\n';
    expect(parse([text])).toEqual([
      { name: 'view', data: '{"a":1}' },
      { name: 'message', data: 'no blank' },
      { name: 'end', data: '' },
    ]);
  });

  it('joins lines of data, keeps blanks but one, and forgets an event without data', () => {
    expect(parse(['data: a\ndata:  b\n\nevent: view\n\ndata: c\n\n'])).toEqual([
      { name: 'message', data: 'a\n b' },
      { name: 'message', data: 'c' },
    ]);
  });

  it('holds back what has no end yet', () => {
    expect(parse(['event: view\ndata: {"a":'])).toEqual([]);
    expect(parse(['data: a\n'])).toEqual([]);
  });

  it('takes a mark of byte order at the beginning alone', () => {
    expect(parse(['\uFEFFdata: a\n\n', '\uFEFFdata: b\n\n'])).toEqual([{ name: 'message', data: 'a' }]);
  });

  it('refuses an event that never ends', () => {
    const parser = new EventParser();
    const chunk = `data: ${'x'.repeat(1024 * 1024)}\n`;
    expect(() => {
      for (let sent = 0; sent < 40; sent += 1) parser.push(chunk);
    }).toThrow(RangeError);
  });

  it('reads the same however the text is cut, with every end of line', () => {
    const line = fc.string({ unit: fc.constantFrom('a', ' ', ':', '{', '"', 'ü', '喫'), maxLength: 8 });
    const event = fc.record({
      name: fc.constantFrom('view', 'end', 'other'),
      lines: fc.array(line, { minLength: 1, maxLength: 3 }),
    });
    const whole = fc.array(event, { minLength: 1, maxLength: 5 });
    const ends = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(
      fc.property(whole, ends, fc.array(fc.nat(400)), fc.boolean(), (events, end, places, comments) => {
        const text = events
          .map(({ name, lines }) =>
            [
              ...(comments ? [': beat', ''] : []),
              `event: ${name}`,
              ...lines.map((each) => `data: ${each}`),
              '',
              '',
            ].join(end),
          )
          .join('');
        const sorted = [...new Set([0, ...places.map((place) => place % text.length), text.length])].sort(
          (a, b) => a - b,
        );
        const chunks = sorted.slice(1).map((to, index) => text.slice(sorted[index], to));
        expect(chunks.join('')).toBe(text);
        const read = parse([...chunks, ':\n']); // after a CR at the very end, more has to come
        expect(read).toEqual(events.map(({ name, lines }) => ({ name, data: lines.join('\n') })));
      }),
      { numRuns: 500 },
    );
  });
});
