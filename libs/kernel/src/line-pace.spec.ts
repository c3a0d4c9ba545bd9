/** What a line that is served at some pace is found to be worth. */
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

/** Ten seconds of a line with `perSecond` served and `load` times as many arriving; what happened after the third second. */
function simulate(perSecond: number, load: number) {
  const pace = new LinePace(WAIT_MS);
  const line: number[] = [0];
  const counts = { served: 0, inVain: 0, refused: 0 };
  pace.begin(0);
  const serviceMs = 1_000 / perSecond;
  const arrivalMs = serviceMs / load;
  for (let at = 0, service = serviceMs, arrival = 0; at < 10_000; at = Math.min(service, arrival)) {
    const counted = at > 3_000 ? 1 : 0;
    while (line.length > 0 && line[0]! <= at - WAIT_MS) {
      line.shift();
      counts.inVain += counted;
    }
    if (arrival <= at) {
      arrival += arrivalMs;
      if (line.length >= pace.worth(at)) counts.refused += counted;
      else {
        if (line.length === 0) pace.begin(at);
        line.push(at);
      }
    }
    if (service <= at) {
      service += serviceMs;
      if (line.shift() !== undefined) {
        pace.serve(at);
        counts.served += counted;
      }
    }
  }
  return counts;
}

it('keeps as many as are served in time, and hardly more, at any pace', () => {
  // All low ones, not a sample: where a pace divides the time one may wait, few steps decide. A line that is served two or three times in
  // that time empties now and then, and is judged anew each time, which lets more of it wait in vain.
  const wrong: object[] = [];
  for (let perSecond = 4; perSecond <= 200; perSecond += perSecond < 40 ? 1 : 40) {
    for (let load = 1.1; load <= 6; load += 0.1) {
      const { served, inVain, refused } = simulate(perSecond, load);
      const right = served > 7 * perSecond * 0.9 - 2 && inVain <= 0.1 * served + 8 && refused > 0;
      if (!right) wrong.push({ perSecond, load, served, inVain, refused });
    }
  }
  expect(wrong).toEqual([]);
});

it('serves all it can where the pace is too low to be known for long', () => {
  for (const perSecond of [2, 3]) {
    for (let load = 1.1; load <= 6; load += 0.1)
      expect(simulate(perSecond, load).served).toBeGreaterThan(7 * perSecond * 0.9 - 2);
  }
});
