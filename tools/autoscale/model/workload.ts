/** A Deployment as far as it matters for how fast its pods come and go, and what they can do. */

export interface Probe {
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
}

export interface Workload {
  readonly name: string;
  readonly requests: Readonly<Record<string, number>>;
  readonly limits: Readonly<Record<string, number>>;
  readonly startupProbe: Probe | undefined;
  readonly readinessProbe: Probe | undefined;
  /** Of the preStop hook. */
  readonly preStopSeconds: number;
  readonly env: Readonly<Record<string, string>>;
}

/** What a process costs before it does anything, as it was measured. */
export interface ProcessFigures {
  /** From its start until `/ready`, and the processor time until then. */
  readonly start_seconds: number;
  readonly start_cpu_seconds: number;
  /** Resident memory at rest and under load, bytes. */
  readonly idle_bytes: number;
  readonly busy_bytes: number;
}
