/** Targets that figures must reach, and what became of them. */
import type { Figures } from './bench';

export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** Bounds by bench and figure: the content of bench/targets.json. */
export type Targets = Readonly<Record<string, Readonly<Record<string, Bounds>>>>;

export interface CheckedTarget {
  readonly figure: string;
  /** Undefined where the bench does not give the figure, which misses the target. */
  readonly value: number | undefined;
  readonly bounds: Bounds;
  readonly reached: boolean;
}

export function checkTargets(figures: Figures, targets: Readonly<Record<string, Bounds>> = {}): CheckedTarget[] {
  return Object.entries(targets).map(([figure, bounds]) => {
    const value = figures[figure];
    const { min = -Infinity, max = Infinity } = bounds;
    return { figure, value, bounds, reached: value !== undefined && value >= min && value <= max };
  });
}

export function describeTarget({ figure, value, bounds, reached }: CheckedTarget): string {
  const wanted = [
    bounds.min === undefined ? '' : `at least ${bounds.min}`,
    bounds.max === undefined ? '' : `at most ${bounds.max}`,
  ].filter(Boolean);
  return `${reached ? 'reached' : 'MISSED '}  ${figure} = ${value ?? 'not measured'}, wanted ${wanted.join(' and ') || 'any'}`;
}
