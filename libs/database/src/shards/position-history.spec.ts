import fc from 'fast-check';
import { PositionHistory } from './position-history';

const hex = (value: number) => value.toString(16).toUpperCase().padStart(16, '0');

describe('PositionHistory', () => {
  it('tells how long ago the primary first went beyond a position', () => {
    const steps = fc.array(fc.record({ advance: fc.nat(3), passMs: fc.integer({ min: 1, max: 500 }) }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, fc.nat(200), (moves, asked) => {
        const history = new PositionHistory();
        const seen: { at: number; position: number }[] = [];
        let [position, at] = [0, 0];
        for (const { advance, passMs } of moves) {
          position += advance;
          at += passMs;
          history.note(hex(position), at);
          seen.push({ at, position });
        }
        const beyond = seen.find((entry) => entry.position > asked);
        expect(history.ageOf(hex(asked), at)).toBe(beyond ? at - beyond.at : 0);
        expect(history.latest).toBe(seen.length > 0 ? hex(position) : '');
      }),
    );
  });

  it('keeps a bounded past: who is behind all of it is as old as its oldest entry', () => {
    const history = new PositionHistory();
    for (let step = 1; step <= 2_000; step += 1) history.note(hex(step), step);
    const age = history.ageOf(hex(0), 2_000);
    expect(age).toBeGreaterThan(100);
    expect(age).toBeLessThan(2_000);
  });

  it('does not count a primary that stands still as going on', () => {
    const history = new PositionHistory();
    for (let at = 0; at < 1_000; at += 1) history.note(hex(7), at);
    expect(history.ageOf(hex(6), 1_000)).toBe(1_000);
    expect(history.ageOf(hex(7), 1_000)).toBe(0);
  });

  it('knows nothing after it was cleared', () => {
    const history = new PositionHistory();
    history.note(hex(9), 1);
    history.clear();
    expect([history.latest, history.ageOf(hex(0), 50)]).toEqual(['', 0]);
  });
});
