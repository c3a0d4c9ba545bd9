import fc from 'fast-check';
import { TextNames } from './text-names';

describe('names for texts', () => {
  it('are given at the third use, and stay', () => {
    const names = new TextNames();
    const given = Array.from({ length: 5 }, () => names.nameOf('select 1'));
    expect(given.slice(0, 2)).toEqual(['', '']);
    expect(given[2]).toMatch(/^text_[0-9a-f]{40}$/);
    expect(new Set(given.slice(2)).size).toBe(1);
  });

  it('are the same in every process, and others for other texts', () => {
    const nameIn = (names: TextNames, text: string) => [1, 2, 3].map(() => names.nameOf(text))[2];
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        const [names, elsewhere] = [new TextNames(), new TextNames()];
        expect(nameIn(names, one)).toBe(nameIn(elsewhere, one));
        expect(nameIn(names, one) === nameIn(names, other)).toBe(one === other);
      }),
    );
  });

  it('are bounded: after five hundred, texts go without', () => {
    const names = new TextNames();
    const all = new Set<string>();
    for (let text = 0; text < 2_000; text += 1)
      for (let use = 0; use < 4; use += 1) all.add(names.nameOf(`select ${text}`));
    expect(all.size - 1).toBe(500); // and the empty name
    expect(names.nameOf('select 1999')).toBe('');
    expect(names.nameOf('select 0')).not.toBe('');
  });
});
