/** Numbers and times as people read them: three digits and a unit, English, UTC. What is exact stands beside it, see `exact`. */

const GROUPED = new Intl.NumberFormat('en-US', { maximumFractionDigits: 6 });
type Steps = readonly (readonly [factor: number, unit: string])[];

const COUNTS: Steps = [
  [1, ''],
  [1e3, 'k'],
  [1e6, 'M'],
  [1e9, 'G'],
  [1e12, 'T'],
];
const BYTES: Steps = [
  [1, 'B'],
  [1e3, 'kB'],
  [1e6, 'MB'],
  [1e9, 'GB'],
  [1e12, 'TB'],
  [1e15, 'PB'],
];
const TIMES: Steps = [
  [1, 'ms'],
  [1e3, 's'],
  [60e3, 'min'],
  [3_600e3, 'h'],
  [86_400e3, 'd'],
];
/** Counts are told to the last one up to here. */
const EXACT_BELOW = 10_000;

/** Three significant digits, as a number: 999.6 becomes 1000. */
const short = (value: number): number => Number(value.toPrecision(3));

function scaled(value: number, steps: Steps): string {
  const size = Math.abs(value);
  const fits = ([factor]: Steps[number]) => short(size / factor) >= 1;
  const [factor, unit] = steps.findLast(fits) ?? steps[0]!;
  const text = GROUPED.format(short(value / factor));
  return unit === '' ? text : `${text} ${unit}`;
}

/** `4,321`, `12.3 k`. */
export const count = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < EXACT_BELOW ? GROUPED.format(value) : scaled(value, COUNTS);
/** `340/s`, `1.2 k/s`. */
export const rate = (value: number): string => `${scaled(value, COUNTS)}/s`;
export const bytes = (value: number): string => scaled(value, BYTES);
export const byteRate = (value: number): string => `${bytes(value)}/s`;
/** Of milliseconds: `340 ms`, `1.2 s`, `3.4 min`. */
export const duration = (ms: number): string => scaled(ms, TIMES);
export const seconds = (value: number): string => (value === 0 ? '0 s' : duration(value * 1e3));
/** `21.5 ×`, `0.06 ×`. */
export const times = (value: number): string => {
  if (value > 0 && value < 0.005) return '<0.01 ×';
  return `${GROUPED.format(value < 1 ? Math.round(value * 100) / 100 : short(value))} ×`;
};
export const plain = (value: number): string => GROUPED.format(short(value));

/** Of a ratio: `12.3 %`; close to all of it with every nine: `99.99 %`. */
export function percent(ratio: number): string {
  const nearlyAll = ratio > 0.99 && ratio < 1;
  const digits = nearlyAll ? 6 : Math.abs(ratio) < 0.01 ? 2 : 3;
  return `${GROUPED.format(Number((ratio * 100).toPrecision(digits)))} %`;
}

/** Every digit. */
export const exact = (value: number): string => GROUPED.format(value);

export function money(micros: number, currency: string, digits?: number): string {
  const value = micros / 1e6;
  const most = digits ?? (value !== 0 && value < 0.01 ? 4 : 2);
  const format = new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency,
    minimumFractionDigits: Math.min(2, most),
    maximumFractionDigits: most,
  });
  return format.format(value);
}

const two = (value: number): string => String(value).padStart(2, '0');
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `14:05`. */
export const clock = (at: Date): string => `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
/** `14:05:12`. */
export const clockSeconds = (at: Date): string => `${clock(at)}:${two(at.getUTCSeconds())}`;
/** `24 Nov`. */
export const day = (at: Date): string => `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]!}`;
/** `2026-11-24 14:05:12 UTC`. */
export const exactTime = (at: Date): string => `${at.toISOString().slice(0, 10)} ${clockSeconds(at)} UTC`;
/** The start of a period of that width. */
export const periodStart = (at: Date, granularity: 'minute' | 'hour' | 'day'): string => {
  if (granularity === 'minute') return clock(at);
  return granularity === 'hour' ? `${day(at)} ${clock(at)}` : day(at);
};

/** How long ago, in the largest whole unit: `5 s`, `3 min`, `2 h`, `4 d`. */
export function age(ms: number): string {
  const whole = Math.max(0, ms);
  const [factor, unit] = TIMES.findLast(([step]) => step > 1 && whole >= step) ?? TIMES[1]!;
  return `${Math.floor(whole / factor)} ${unit}`;
}

/** `job_class` as words: `Job class`. */
export const words = (name: string): string => {
  const text = name.replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
};
