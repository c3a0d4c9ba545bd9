/** What the controller sees when it looks: pods as the API server has them, and what the metrics APIs answer. */

export interface PodView {
  readonly name: string;
  readonly phase: 'Pending' | 'Running' | 'Failed';
  readonly deleting: boolean;
  /** When the kubelet took it; null before. Seconds, as all times here. */
  readonly startedAt: number | null;
  /** The Ready condition; null while there is none. */
  readonly ready: boolean | null;
  readonly readyChangedAt: number;
  /** Cores and bytes. */
  readonly requests: Readonly<Record<string, number>>;
}

export interface PodSample {
  readonly value: number;
  /** End of the window that the value is of. */
  readonly at: number;
  readonly windowSeconds: number;
}

export type PodSamples = ReadonlyMap<string, PodSample>;

export interface Observation {
  readonly pods: readonly PodView[];
  /** Null: the API answers with an error. */
  resource(name: string): PodSamples | null;
  podMetric(name: string): PodSamples | null;
  /** Of an object or from outside: one number. */
  single(name: string, selector?: string): number | null;
}
