/** A load over time. All of them say what comes, and nothing of who serves it. */

interface Common {
  readonly name: string;
  readonly about: string;
  readonly seconds: number;
  /** One second in so many is looked at request by request. */
  readonly stride: number;
}

export interface RequestTrace extends Common {
  readonly of: 'requests';
  /** Requests a second. */
  rate(at: number): number;
}

export interface JobTrace extends Common {
  readonly of: 'jobs';
  /** Jobs a second, and those that come at once. */
  rate(at: number): number;
  atOnce(at: number): number;
  /** Share of the requested processor that a worker uses whose slots are all busy: the rest of a job's time it waits. */
  readonly busyUtilization: number;
}

export type Trace = RequestTrace | JobTrace;
