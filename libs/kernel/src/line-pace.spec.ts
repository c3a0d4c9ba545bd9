/** What a line that is served at some pace is found to be worth. */
import { LinePace } from './line-pace';

const WAIT_MS = 1_000;
/** Of a simulation that count. */
const SECONDS = 7;

it('is not judged before somebody has waited for a period, and then worth what is served in one', () => {
  const pace = new LinePace(WAIT_MS);
  pace.begin(500);
  for (let at = 510; at < 750; at += 10) pace.serve(at);
  expect(pace.worth(749)).toBe(Infinity);
  expect(pace.worth(750)).toBe(24);
  expect(pace.worth(999)).toBe(24);
  for (let at = 760; at < 1_000; at += 5) pace.serve(at);
  expect(pace.worth(999)).toBe(48); // it has become faster
  expect(pace.worth(1_249)).toBe(48);
});

it('is worth one at least, so that it is seen when it moves again', () => {
  const pace = new LinePace(WAIT_MS);
  pace.begin(0);
  expect(pace.worth(1_000)).toBe(1);
  pace.serve(1_010);
  pace.serve(1_020);
  expect(pace.worth(1_030)).toBe(2);
  expect(pace.worth(1_999)).toBe(2); // of the last second
  expect(pace.worth(5_000)).toBe(1);
});

it('lets a burst and who comes after it wait, though the first are slow', () => {
  const pace = new LinePace(WAIT_MS);
  pace.begin(0); // six that take 400 ms each, one after another; one is not in line
  expect(pace.worth(260)).toBeGreaterThan(5);
  pace.serve(400);
  expect(pace.worth(600)).toBeGreaterThan(4);
});

it('lets a second one wait where each takes half of how long one may', () => {
  const pace = new LinePace(WAIT_MS);
  pace.begin(0);
  for (let at = 10; at < 5_000; at += 10) {
    if (at % 500 === 0) pace.serve(at);
    expect(pace.worth(at)).toBeGreaterThanOrEqual(2);
  }
});

it('is judged anew when it was empty in between', () => {
  const pace = new LinePace(WAIT_MS);
  pace.begin(0);
  expect(pace.worth(2_000)).toBe(1);
  pace.begin(2_100);
  expect(pace.worth(2_349)).toBe(Infinity);
  expect(pace.worth(2_350)).toBe(8);
  expect(pace.worth(3_100)).toBe(1);
});

/** A line with `perSecond` served and `load` times as many arriving; what happened after three seconds. */
function simulate(perSecond: number, load: number) {
  const pace = new LinePace(WAIT_MS);
  const line: number[] = [0];
  const counts = { served: 0, inVain: 0, refused: 0, waitedMs: 0 };
  pace.begin(0);
  const serviceMs = 1_000 / perSecond;
  const arrivalMs = serviceMs / load;
  for (let at = 0, service = serviceMs, arrival = 0; at < (3 + SECONDS) * 1_000; at = Math.min(service, arrival)) {
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
      const since = line.shift();
      if (since !== undefined) {
        pace.serve(at);
        counts.served += counted;
        counts.waitedMs += counted * (at - since);
      }
    }
  }
  return counts;
}

it('serves all it can, hardly anybody in vain, and lets few wait for long, at any pace', () => {
  // All low ones, not a sample: where a pace divides the time one may wait, few steps decide.
  const wrong: object[] = [];
  for (let perSecond = 4; perSecond <= 200; perSecond += perSecond < 40 ? 1 : 40) {
    for (let load = 1.1; load <= 6; load += 0.2) {
      const { served, inVain, refused, waitedMs } = simulate(perSecond, load);
      const isShort = perSecond < 8 || waitedMs / served < (perSecond < 12 ? 0.5 : 0.32) * WAIT_MS;
      const right = served > SECONDS * perSecond * 0.9 - 2 && inVain <= 0.1 * served + 8 && refused > 0 && isShort;
      if (!right) wrong.push({ perSecond, load, served, inVain, refused, waitedMs });
    }
  }
  expect(wrong).toEqual([]);
});

it('serves all it can where the line is too short to stand', () => {
  for (const perSecond of [2, 3]) {
    for (let load = 1.1; load <= 6; load += 0.1)
      expect(simulate(perSecond, load).served).toBeGreaterThan(SECONDS * perSecond * 0.9 - 2);
  }
});
