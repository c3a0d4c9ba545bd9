import fc from 'fast-check';
import { beginOf, partsUntilNow, UNIT_MS } from './time-parts';

const NOW = Date.UTC(2026, 9, 10, 13, 25, 31);
const at = (day: number, hour = 0, minute = 0) => Date.UTC(2026, 9, day, hour, minute);

describe('the parts of a stretch of time', () => {
  it('are units until a coarser one begins, and coarser ones from there on', () => {
    expect(partsUntilNow('hour', at(4, 15), NOW)).toEqual([
      { unit: 'hour', from: at(4, 15), to: at(5) },
      { unit: 'day', from: at(5), to: at(11) },
    ]);
    expect(partsUntilNow('day', at(1), NOW)).toEqual([{ unit: 'day', from: at(1), to: at(11) }]);
    expect(partsUntilNow('minute', at(10, 13), NOW)).toEqual([{ unit: 'hour', from: at(10, 13), to: at(10, 14) }]);
    expect(partsUntilNow('minute', at(10, 13, 5), NOW)).toEqual([
      { unit: 'minute', from: at(10, 13, 5), to: at(10, 13, 26) },
    ]);
  });

  it('have no gap and no overlap, begin where it begins and hold the present', () => {
    const unit = fc.constantFrom('minute', 'hour', 'day' as const);
    fc.assert(
      fc.property(
        unit,
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 0, max: 30 * UNIT_MS.day }),
        (of, back, s) => {
          const now = NOW + s;
          const from = beginOf(of, now) - back * UNIT_MS[of];
          const parts = partsUntilNow(of, from, now);
          expect(parts[0]!.from).toBe(from);
          for (const [index, part] of parts.slice(1).entries()) expect(part.from).toBe(parts[index]!.to);
          expect(parts.at(-1)!.to).toBeGreaterThan(now);
          expect(parts.at(-1)!.to - now).toBeLessThanOrEqual(UNIT_MS[parts.at(-1)!.unit]);
        },
      ),
    );
  });
});
