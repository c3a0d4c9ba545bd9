/** What a load process is told to do, and what it tells afterwards. */
import type { Caller, RequestKind } from './requests';

interface Plan {
  readonly url: string;
  readonly seconds: number;
  readonly seed: number;
  readonly callers: readonly Caller[];
}

/** Requests come when they come, whatever has become of those before. */
export interface OpenPlan extends Plan {
  readonly loop: 'open';
  /** Milliseconds of Unix time. */
  readonly startAt: number;
  /** Requests come at the same rate for so long before that already. They are not reported. */
  readonly leadInSeconds: number;
  /** Of all callers together, which are equal. */
  readonly perSecond: number;
  /** What would be more in flight is not sent, and counted. */
  readonly mostInFlight: number;
  /** The mix of requests, or only `/live`, which costs nothing but being asked. */
  readonly asks: 'mix' | 'live';
  /** Jobs that are made besides, evenly over the time, by one caller after another. */
  readonly jobs: number;
}

/** So many requests are in flight at any time. */
export interface ClosedPlan extends Plan {
  readonly loop: 'closed';
  readonly inFlight: number;
  /** Not counted. */
  readonly warmUpSeconds: number;
}

export type LoadPlan = OpenPlan | ClosedPlan;

export interface Answered {
  readonly tenant: number;
  readonly kind: RequestKind;
  /** 0 where none came. */
  readonly status: number;
  /** From the time for which it was planned to the last byte of the answer. */
  readonly milliseconds: number;
}

export interface LoadReport {
  readonly answered: readonly Answered[];
  readonly notSent: number;
  /** By how much the load process itself was late with a request: the share of its own in the latencies. */
  readonly sentLateMs: readonly number[];
  /** Ids of the jobs that were made. */
  readonly jobIds: readonly string[];
  /** Of the closed loop: seconds in which `answered` were answered. */
  readonly seconds: number;
}
