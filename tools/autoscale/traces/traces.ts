/** The loads that the chart's values are tried with. */
import { DAY_SECONDS, shareOfPeak } from './day';
import type { Trace } from './trace';
import profile from './retail-hours.json';

const MINUTE = 60;

/** Between two times along a straight line, level outside. */
function between(at: number, [from, to]: readonly [number, number], [low, high]: readonly [number, number]): number {
  const share = Math.min(1, Math.max(0, (at - from) / (to - from)));
  return low + (high - low) * share;
}

const step: Trace = {
  of: 'requests',
  name: 'step',
  about: '600 requests a second; 1,800 from the tenth minute on, within ten seconds.',
  seconds: 40 * MINUTE,
  stride: 5,
  rate: (at) => between(at, [10 * MINUTE, 10 * MINUTE + 10], [600, 1_800]),
};

const ramp: Trace = {
  of: 'requests',
  name: 'ramp',
  about: '500 requests a second, rising to 6,000 within half an hour; level for ten minutes; down again as slowly.',
  seconds: 90 * MINUTE,
  stride: 15,
  rate: (at) =>
    Math.min(
      between(at, [5 * MINUTE, 35 * MINUTE], [500, 6_000]),
      between(at, [45 * MINUTE, 75 * MINUTE], [6_000, 500]),
    ),
};

/** For five minutes so many times as much as before and after, within ten seconds. */
const burst = (name: string, times: number, inWords: string): Trace => ({
  of: 'requests',
  name,
  about: `800 requests a second; ${inWords} times as many for five minutes, within ten seconds; then as before.`,
  seconds: 40 * MINUTE,
  stride: 5,
  rate: (at) =>
    Math.min(
      between(at, [10 * MINUTE, 10 * MINUTE + 10], [800, times * 800]),
      between(at, [15 * MINUTE, 15 * MINUTE + 10], [times * 800, 800]),
    ),
});

const PEAK_OF_DAY = 5_000;
const day: Trace = {
  of: 'requests',
  name: 'day',
  about: `The average day of a retailer, from midnight on, with ${PEAK_OF_DAY.toLocaleString('en')} requests a second in its busiest hour.`,
  seconds: DAY_SECONDS,
  stride: 15,
  rate: (at) => PEAK_OF_DAY * shareOfPeak(profile, at),
};

const queue: Trace = {
  of: 'jobs',
  name: 'queue',
  about:
    '30,000 jobs at once, then 60 a second for half an hour; they mostly wait for others: a busy worker uses 27 %.',
  seconds: 60 * MINUTE,
  stride: 1,
  rate: (at) => (at >= 5 * MINUTE && at < 35 * MINUTE ? 60 : 12),
  atOnce: (at) => (at === 5 * MINUTE ? 30_000 : 0),
  busyUtilization: 0.27,
};

/** Those that the chart's default values are held to. */
export const TRACES: readonly Trace[] = [step, ramp, burst('spike', 2.5, 'two and a half'), day, queue];

/** More at once than the default values have room for. */
export const SURGE: Trace = burst('surge', 4, 'four');
