import fc from 'fast-check';
import { ManualClock } from './clock';
import { decodeCursor, encodeCursor } from './cursor';
import { constantTimeEqual } from './digest';
import { addMinor, multiplyMinor, parseDecimalToMinor } from './money';
import { isUuid, newId, uuidv7, uuidv7LowerBound, uuidv7Time } from './uuid';

describe('uuidv7', () => {
  it('makes distinct ids that increase, also within one millisecond and when the clock steps back', () => {
    const ids: string[] = [];
    for (let index = 0; index < 20_000; index += 1) ids.push(uuidv7(index % 100 === 0 ? Date.now() - 50 : Date.now()));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every(isUuid)).toBe(true);
    expect(ids.every((id) => id[14] === '7' && '89ab'.includes(id[19]!))).toBe(true);
  });

  it('keeps its millisecond, and the lower bound of a millisecond is below every id of it', () => {
    const future = Date.now() + 86_400_000;
    const id = uuidv7(future);
    expect(uuidv7Time(id)).toBe(future);
    expect(uuidv7LowerBound(future) < id).toBe(true);
    expect(uuidv7LowerBound(future + 1) > id).toBe(true);
  });

  it('knows what is no UUID', () => {
    for (const value of ['', 'x', newId().slice(1), `${newId()}0`, null, 7]) expect(isUuid(value)).toBe(false);
  });
});

describe('money', () => {
  it.each([
    ['2.55', 255],
    ['2.555', 256],
    ['2.554', 255],
    ['-2.555', -256],
    ['.5', 50],
    ['7', 700],
    ['0', 0],
    ['-0.001', 0],
    ['1.005', 101],
  ])('reads %s as %i minor units, rounded half up', (text, minor) => {
    expect(parseDecimalToMinor(text)).toBe(minor);
  });

  it.each(['', '.', 'abc', '1,5', '1e3', '--1', '99999999999999999999'])('refuses %p', (text) => {
    expect(() => parseDecimalToMinor(text)).toThrow();
  });

  it('reads back every amount it can hold', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000_000 }), (minor) => {
        const text = `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}`;
        expect(parseDecimalToMinor(text)).toBe(minor);
      }),
    );
  });

  it('refuses to leave the safe range instead of rounding', () => {
    expect(() => multiplyMinor(2 ** 40, 2 ** 20)).toThrow(/exceeds/);
    expect(() => addMinor(Number.MAX_SAFE_INTEGER, 1)).toThrow(/exceeds/);
  });
});

describe('cursor', () => {
  it('leads back to its key', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 40 }), { maxLength: 3 }), (key) => {
        expect(
          decodeCursor(
            encodeCursor(key),
            key.map(() => () => true),
          ),
        ).toEqual(key);
      }),
    );
  });

  it('refuses whatever was not issued, and never fails otherwise', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => decodeCursor(text, [isUuid])).toThrow(
          expect.objectContaining({ code: 'invalid_cursor', param: 'cursor' }),
        );
      }),
    );
    expect(() => decodeCursor(encodeCursor(['x']), [isUuid])).toThrow(/not issued/);
    expect(() => decodeCursor(encodeCursor([newId(), newId()]), [isUuid])).toThrow(/not issued/);
  });
});

describe('the rest of the kernel', () => {
  it('compares secrets of any length', () => {
    expect(constantTimeEqual('a', 'a')).toBe(true);
    expect(constantTimeEqual('a', 'ab')).toBe(false);
    expect(constantTimeEqual('', 'a')).toBe(false);
  });

  it('moves a manual clock by hand', () => {
    const clock = new ManualClock(1_000);
    clock.advance(500);
    expect(clock.now()).toEqual(new Date(1_500));
  });
});
