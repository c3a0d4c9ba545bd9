import fc from 'fast-check';
import { type CursorTrail, followed, trailFrom } from './cursor-trail';

/** Cursors until it says that they repeat; undefined where it never does within `most`. */
function stepsUntilFound(cursors: (index: number) => string, most: number): number | undefined {
  let trail: CursorTrail | undefined = trailFrom(cursors(0));
  for (let index = 1; index <= most; index += 1) {
    trail = followed(JSON.parse(JSON.stringify(trail)) as CursorTrail, cursors(index));
    if (!trail) return index;
  }
  return undefined;
}

describe('the trail of cursors', () => {
  it('finds every circle within three times the way into it and around it', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 1, max: 200 }), (before, around) => {
        const cursors = (index: number) => `c${index < before ? index : before + ((index - before) % around)}`;
        const found = stepsUntilFound(cursors, 10_000);
        expect(found).toBeGreaterThanOrEqual(around);
        expect(found).toBeLessThanOrEqual(3 * Math.max(before, around) + around + 1);
      }),
    );
  });

  it('finds none where there is none', () => {
    expect(stepsUntilFound((index) => `c${index}`, 5_000)).toBeUndefined();
  });

  it('begins without a cursor too', () => {
    const trail = followed(trailFrom(null), 'a')!;
    expect(followed(trail, 'b')).toBeDefined();
    expect(followed(trail, 'a')).toBeUndefined();
  });
});
