/** What a line that is served at some pace is found to be worth. */
import fc from 'fast-check';
import { LinePace } from './line-pace';

const WAIT_MS = 1_000;

it('is not judged before somebody has waited for as long as one may', () => {
  const pace = new LinePace(WAIT_MS);
  pace.begin(500);
  for (let at = 510; at < 1_500; at += 10) pace.serve(at);
  expect(pace.worth(1_499)).toBe(Infinity);
  expect(pace.worth(1_500)).toBe(99);
});

it('is worth one at least, so that it is seen when it moves again', () => {
  const pace = new LinePace(WAIT_MS);
  pace.begin(0);
  expect(pace.worth(1_000)).toBe(1);
  pace.serve(1_010);
  pace.serve(1_020);
  expect(pace.worth(1_030)).toBe(2);
  expect(pace.worth(5_000)).toBe(1);
});

it('is judged anew when it was empty in between', () => {
  const pace = new LinePace(WAIT_MS);
  pace.begin(0);
  expect(pace.worth(2_000)).toBe(1);
  pace.begin(2_100);
  expect(pace.worth(2_200)).toBe(Infinity);
});

it('keeps as many as are served in time, and hardly more, at any pace', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 200 }), fc.integer({ min: 1, max: 50 }), (perSecond, arrivalsFor1) => {
      const pace = new LinePace(WAIT_MS);
      const line: number[] = [];
      let [inVain, servedLate, refused] = [0, 0, 0];
      pace.begin(0);
      line.push(0);
      const serviceMs = 1_000 / perSecond;
      const arrivalMs = serviceMs / (1 + arrivalsFor1 / 10);
      for (let at = 0, service = serviceMs, arrival = 0; at < 10_000; at = Math.min(service, arrival)) {
        while (line.length > 0 && line[0]! <= at - WAIT_MS) {
          line.shift();
          if (at > 3_000) inVain += 1;
        }
        if (arrival <= at) {
          arrival += arrivalMs;
          if (line.length >= pace.worth(at)) refused += 1;
          else {
            if (line.length === 0) pace.begin(at);
            line.push(at);
          }
        }
        if (service <= at) {
          service += serviceMs;
          if (line.shift() !== undefined) {
            pace.serve(at);
            if (at > 3_000) servedLate += 1;
          }
        }
      }
      // A standing line does not become shorter by this: all that can be served is, and few wait in vain.
      expect(servedLate).toBeGreaterThan(7 * perSecond * 0.9 - 2);
      expect(inVain).toBeLessThanOrEqual(0.1 * servedLate + 8);
      expect(refused).toBeGreaterThan(0);
    }),
    { numRuns: 60 },
  );
});
