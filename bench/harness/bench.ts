/** What a benchmark is made of. */

/** One of the two that are compared. Both do the same work for an operation, as the bench's `about` says. */
export interface Contestant {
  /** snake_case; stands in the names of figures. */
  readonly name: string;
  /** Does so many operations; rejects where one went wrong. Everything outside of it is not measured. */
  run(operations: number): Promise<void> | void;
}

/** `rate`: operations per second, run as many at once as the contestant likes. `p50`: the median time of one, run singly. */
export type Measure = 'rate' | 'p50';

export interface Comparison {
  /** snake_case; figures are called `<name>_ratio`, and so on. */
  readonly name: string;
  readonly subject: Contestant;
  /** What the subject's figure is divided by: larger is better for the subject with `rate`, smaller with `p50`. */
  readonly reference: Contestant;
  /** Default `rate`. */
  readonly measures?: Measure;
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
