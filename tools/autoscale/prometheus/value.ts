/** What PromQL computes with. */
import type { Labels } from './samples';

export interface Element {
  readonly labels: Labels;
  readonly value: number;
}

/** A scalar, or an instant vector. */
export type Value = number | readonly Element[];

/** What is no PromQL, or more of it than the simulation knows. */
export class PromqlError extends Error {}
