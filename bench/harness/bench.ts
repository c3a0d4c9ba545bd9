/** What a benchmark is made of. */

/** One of the two that are compared. Both do the same work for an operation, as the bench's `about` says. */
export interface Contestant {
  /** snake_case; stands in the names of figures. */
  readonly name: string;
  /** Does so many operations, and may answer a promise; rejects where one went wrong. Everything outside of it is not measured. */
  run(operations: number): unknown;
}

/**
 * `rate`: operations per second, run as many at once as the contestant likes. `p50`: the median time of one, run singly.
 * `own`: what `run(1)` answers, such as a number of turns; it is neither warmed up nor timed.
 */
export type Measure = 'rate' | 'p50' | 'own';

export interface Comparison {
  /** snake_case; figures are called `<name>_ratio`, and so on. */
  readonly name: string;
  readonly subject: Contestant;
  /** What the subject's figure is divided by: larger is better for the subject with `rate`, smaller with `p50`; `own` has its own sense. */
  readonly reference: Contestant;
  /** Default `rate`. */
  readonly measures?: Measure;
  /** At most so many pairs: for one that looks at what other comparisons have measured. */
  readonly pairs?: number;
}

export interface Bench {
  /** What is called by `npm run bench -- NAME`. */
  readonly name: string;
  /** What is measured against what, in a line or two. */
  readonly about: string;
  /** Each comparison is measured before the next is asked for, so servers may come and go between them. */
  compare(): AsyncIterable<Comparison>;
}

/** Figures by name. */
export type Figures = Readonly<Record<string, number>>;
