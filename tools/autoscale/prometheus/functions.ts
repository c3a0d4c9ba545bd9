/** Functions of PromQL that autoscalers are asked with. */
import type { Point } from './samples';
import { type Element, PromqlError, type Value } from './value';

type Function = (args: readonly Value[]) => Value;

function each(change: (value: number, bound: number) => number): Function {
  return ([vector, bound = 0]) => {
    if (vector === undefined || typeof vector === 'number' || typeof bound !== 'number')
      throw new PromqlError('A function wants a vector, and a number after it.');
    return vector.map(({ labels, value }) => ({ labels, value: change(value, bound) }));
  };
}

export const FUNCTIONS: Readonly<Record<string, Function | undefined>> = {
  clamp_min: each((value, bound) => Math.max(value, bound)),
  clamp_max: each((value, bound) => Math.min(value, bound)),
  ceil: each((value) => Math.ceil(value)),
  floor: each((value) => Math.floor(value)),
  vector: ([value]) => (typeof value === 'number' ? [{ labels: {}, value }] : value!),
  scalar: ([value]) => (typeof value === 'number' ? value : ofOne(value ?? [])),
};

const ofOne = (elements: readonly Element[]): number => (elements.length === 1 ? elements[0]!.value : NaN);

/** Undefined where the window has too little. */
type OverTime = (points: readonly Point[]) => number | undefined;

const some =
  (compute: (values: readonly number[]) => number): OverTime =>
  (points) =>
    points.length === 0 ? undefined : compute(points.map(({ value }) => value));

export const OVER_TIME: Readonly<Record<string, OverTime | undefined>> = {
  avg_over_time: some((values) => values.reduce((sum, value) => sum + value, 0) / values.length),
  max_over_time: some((values) => Math.max(...values)),
  min_over_time: some((values) => Math.min(...values)),
  last_over_time: some((values) => values.at(-1)!),
};
