import fc from 'fast-check';
import { formatLsn, parseLsn } from './lsn';
import { type LogMessage, PgOutputDecoder } from './pgoutput';

const int16 = (value: number) => Buffer.from([(value >> 8) & 255, value & 255]);
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const int64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
};
const string = (text: string) => Buffer.from(`${text}\0`);
const sized = (text: string) => Buffer.concat([int32(Buffer.byteLength(text)), Buffer.from(text)]);

function tuple(values: readonly (string | null | undefined)[]): Buffer {
  const parts = values.map((value) => {
    if (value === null) return Buffer.from('n');
    return value === undefined ? Buffer.from('u') : Buffer.concat([Buffer.from('t'), sized(value)]);
  });
  return Buffer.concat([int16(values.length), ...parts]);
}

function relation(id: number, name: string, columns: readonly string[]): Buffer {
  const described = columns.map((column) => Buffer.concat([Buffer.from([1]), string(column), int32(25), int32(-1)]));
  return Buffer.concat([
    Buffer.from('R'),
    int32(id),
    string('public'),
    string(name),
    Buffer.from('d'),
    int16(columns.length),
    ...described,
  ]);
}

const decodeAll = (...messages: Buffer[]): (LogMessage | undefined)[] => {
  const decoder = new PgOutputDecoder();
  return messages.map((message) => decoder.decode(message));
};

describe('PgOutputDecoder', () => {
  const products = relation(7, 'products', ['id', 'name']);

  it('reads the bounds of a transaction and a mark within', () => {
    const begin = Buffer.concat([Buffer.from('B'), int64(0x1_0000_0010n), int64(0n), int32(9)]);
    const mark = Buffer.concat([Buffer.from('M'), Buffer.from([1]), int64(5n), string('prefix'), sized('conténu')]);
    const commit = Buffer.concat([
      Buffer.from('C'),
      Buffer.from([0]),
      int64(0x1_0000_0010n),
      int64(0x1_0000_0040n),
      int64(0n),
    ]);
    expect(decodeAll(begin, mark, commit)).toEqual([
      { kind: 'begin', commitLsn: 0x1_0000_0010n },
      { kind: 'mark', prefix: 'prefix', content: 'conténu' },
      { kind: 'commit', endLsn: 0x1_0000_0040n },
    ]);
  });

  it('reads any text, null and values that are not in the log', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant(null), fc.constant(undefined)),
        fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant(null), fc.constant(undefined)),
        (id, name) => {
          const insert = Buffer.concat([Buffer.from('I'), int32(7), Buffer.from('N'), tuple([id, name])]);
          expect(decodeAll(products, insert)[1]).toStrictEqual({
            kind: 'insert',
            table: 'products',
            row: { id, name },
          });
        },
      ),
    );
  });

  it('tells the former key of an update where it changed, and the key of a deletion', () => {
    const plain = Buffer.concat([Buffer.from('U'), int32(7), Buffer.from('N'), tuple(['1', 'a'])]);
    const moved = Buffer.concat([
      Buffer.from('U'),
      int32(7),
      Buffer.from('K'),
      tuple(['1', null]),
      Buffer.from('N'),
      tuple(['2', 'a']),
    ]);
    const gone = Buffer.concat([Buffer.from('D'), int32(7), Buffer.from('K'), tuple(['2', null])]);
    expect(decodeAll(products, plain, moved, gone).slice(1)).toEqual([
      { kind: 'update', table: 'products', row: { id: '1', name: 'a' }, key: undefined },
      { kind: 'update', table: 'products', row: { id: '2', name: 'a' }, key: { id: '1', name: null } },
      { kind: 'delete', table: 'products', key: { id: '2', name: null } },
    ]);
  });

  it('goes by the newest description of a table', () => {
    const wider = relation(7, 'products', ['id', 'name', 'extra']);
    const insert = Buffer.concat([Buffer.from('I'), int32(7), Buffer.from('N'), tuple(['1', 'a', 'b'])]);
    expect(decodeAll(products, wider, insert)[2]).toMatchObject({ row: { id: '1', name: 'a', extra: 'b' } });
  });

  it('refuses what it does not know instead of leaving it out', () => {
    expect(() => decodeAll(Buffer.from('Z'))).toThrow('unknown kind');
    expect(() => decodeAll(Buffer.concat([Buffer.from('T'), int32(1)]))).toThrow('unknown kind');
    expect(() => decodeAll(Buffer.concat([Buffer.from('I'), int32(8), Buffer.from('N'), tuple([])]))).toThrow(
      'not described',
    );
  });
});

describe('positions in the log', () => {
  it('are the same as text and as number', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (lsn) => parseLsn(formatLsn(lsn)) === lsn));
    expect(formatLsn(0x16_b374d848n)).toBe('16/B374D848');
  });
});
