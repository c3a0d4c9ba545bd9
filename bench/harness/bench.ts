/** What a benchmark is made of. */

/** One of the two that are compared. Both do the same work for an operation, as the bench's `about` says. */
export interface Contestant {
  /** snake_case; stands in the names of figures. */
  readonly name: string;
  /** Does so many operations; rejects where one went wrong. Everything outside of it is not measured. */
  run(operations: number): Promise<void> | void;
}

export interface Comparison {
  /** snake_case; figures are called `<name>_ratio`, and so on. */
  readonly name: string;
  readonly subject: Contestant;
  /** What the subject's rate is divided by. */
  readonly reference: Contestant;
}

export interface PreparedBench {
  readonly comparisons: readonly Comparison[];
  close?(): Promise<void>;
}

export interface Bench {
  /** What is called by `npm run bench -- NAME`. */
  readonly name: string;
  /** What is measured against what, in a line or two. */
  readonly about: string;
  prepare(): Promise<PreparedBench>;
}

/** Figures by name. Ratios and rates; larger is better for the subject. */
export type Figures = Readonly<Record<string, number>>;
