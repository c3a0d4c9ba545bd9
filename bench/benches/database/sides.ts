/** What both sides of the comparisons offer. */
import type { Statement } from '#libs/database';
import type { Contestant } from '../../harness/bench';

export type Some = () => Statement;
export type Several = () => readonly Statement[];

/** What a side does with statements in each lane. */
export interface Lanes {
  statement(statement: Some): Contestant;
  batch(statements: Several): Contestant;
  /** Interactive. */
  read(statements: Several): Contestant;
  write(statements: Several): Contestant;
}

export interface Gateway extends AsyncDisposable {
  readonly lanes: Lanes;
}

export interface Raw extends AsyncDisposable {
  readonly lanes: Lanes;
  /** A batch whose statements, BEGIN and COMMIT are sent without waiting for one another's answers (option `pipeline` of pg). */
  readonly pipelined: (statements: Several) => Contestant;
}

export interface Sides {
  readonly gateway: Gateway;
  readonly raw: Raw;
}
