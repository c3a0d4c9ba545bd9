/**
 * What would scale the processes, by the five triggers of the design and the rule of Kubernetes' horizontal autoscaler: with a value
 * for each process, wanted = ceil(processes × value / threshold), and nothing within a tenth of the threshold; the largest wish of a
 * process' triggers counts. A step at most doubles, or adds four, as the autoscaler does without a policy of one's own.
 */
import type { ProcessSignals } from '#libs/observability';

export const SCALED = ['api', 'worker'] as const;
export type Scaled = (typeof SCALED)[number];

export const TRIGGERS = {
  cpu: { process: SCALED, unit: 'ratio', threshold: 0.7 },
  memory: { process: SCALED, unit: 'ratio', threshold: 0.8 },
  requests: { process: ['api'], unit: 'requests_per_second', threshold: 1_000 },
  p95: { process: ['api'], unit: 'seconds', threshold: 0.5 },
  queue_depth: { process: ['worker'], unit: 'jobs', threshold: 1_000 },
} as const satisfies Record<string, { process: readonly Scaled[]; unit: string; threshold: number }>;
export type TriggerName = keyof typeof TRIGGERS;

const TOLERANCE = 0.1;
const MS_PER_SECOND = 1_000;

export interface TriggerState {
  readonly trigger: TriggerName;
  readonly process: Scaled;
  readonly unit: string;
  readonly threshold: number;
  /** Mean of the processes; of the queues, the jobs that wait in all classes. Null while it is not known. */
  readonly value: number | null;
  readonly fires: boolean;
  /** Processes that it asks for; null while its value is not known. */
  readonly wanted: number | null;
}

export interface ScalingDecision {
  readonly process: Scaled;
  /** Null while they are not heard. */
  readonly processes: number | null;
  /** Null while no trigger knows anything. */
  readonly wanted: number | null;
  /** What would happen now. */
  readonly action: 'add' | 'remove' | 'keep' | 'unknown';
}

export interface Autoscaling {
  readonly triggers: readonly TriggerState[];
  readonly decisions: readonly ScalingDecision[];
}

/** `signals`: of every process that can be heard, null while none can. `waiting`: jobs in all queues, null while they do not answer. */
export function autoscaling(signals: readonly ProcessSignals[] | null, waiting: number | null): Autoscaling {
  const triggers = (Object.keys(TRIGGERS) as TriggerName[]).flatMap((trigger) =>
    TRIGGERS[trigger].process.map((process) => stateOf(trigger, process, of(process, signals), waiting)),
  );
  const decisions = SCALED.map((process) => decisionOf(process, triggers, of(process, signals)?.length ?? null));
  return { triggers, decisions };
}

function of(process: Scaled, signals: readonly ProcessSignals[] | null): ProcessSignals[] | null {
  return signals && signals.filter((one) => one.process === process);
}

function stateOf(
  trigger: TriggerName,
  process: Scaled,
  mine: readonly ProcessSignals[] | null,
  waiting: number | null,
): TriggerState {
  const { unit, threshold } = TRIGGERS[trigger];
  const value = trigger === 'queue_depth' ? waiting : mine && VALUES[trigger](mine);
  const fires = value !== null && value > threshold;
  const wanted = mine && wantedBy(mine.length, value, threshold);
  return { trigger, process, unit, threshold, value, fires, wanted };
}

type Value = (signals: readonly ProcessSignals[]) => number | null;

function mean(read: (signals: ProcessSignals) => number): Value {
  return (signals) => (signals.length === 0 ? null : signals.reduce((sum, one) => sum + read(one), 0) / signals.length);
}

/** Weighted by requests: a process that has served three says little of what clients meet. */
const p95: Value = (signals) => {
  if (signals.length === 0) return null;
  const requests = signals.reduce((sum, one) => sum + one.requests_per_second, 0);
  if (requests === 0) return 0;
  return signals.reduce((sum, one) => sum + one.p95_ms * one.requests_per_second, 0) / requests / MS_PER_SECOND;
};

const VALUES: Readonly<Record<Exclude<TriggerName, 'queue_depth'>, Value>> = {
  cpu: mean((one) => one.cpu_ratio),
  memory: mean((one) => one.memory_ratio),
  requests: mean((one) => one.requests_per_second),
  p95,
};

/** From nothing, work that waits starts one. */
function wantedBy(processes: number, value: number | null, threshold: number): number | null {
  if (value === null) return null;
  if (processes === 0) return value > 0 ? 1 : 0;
  const ratio = value / threshold;
  if (Math.abs(ratio - 1) <= TOLERANCE) return processes;
  return Math.max(1, Math.min(Math.ceil(processes * ratio), Math.max(2 * processes, processes + 4)));
}

function decisionOf(process: Scaled, triggers: readonly TriggerState[], processes: number | null): ScalingDecision {
  const wishes = triggers.flatMap((one) => (one.process === process && one.wanted !== null ? [one.wanted] : []));
  if (processes === null || wishes.length === 0) return { process, processes, wanted: null, action: 'unknown' };
  const wanted = Math.max(...wishes);
  return { process, processes, wanted, action: actionOf(wanted - processes) };
}

function actionOf(difference: number): 'add' | 'remove' | 'keep' {
  if (difference === 0) return 'keep';
  return difference > 0 ? 'add' : 'remove';
}
