/** A KEDA ScaledObject as far as it decides anything, with KEDA's defaults filled in. */
import type { Behavior } from '../hpa/spec';

export interface Trigger {
  /** Its own, or the one that KEDA gives its metric. */
  readonly name: string;
  /** PromQL; undefined of `cpu` and `memory`, which KEDA hands to the autoscaler as they are. */
  readonly query: string | undefined;
  readonly resource: 'cpu' | 'memory' | undefined;
  readonly metricType: 'AverageValue' | 'Value' | 'Utilization';
  readonly threshold: number;
  /** Above it there is work: decides between none (or idle) and some, never how many. */
  readonly activationThreshold: number;
  /** Whether no series is an answer, namely 0, instead of an error. */
  readonly ignoreNullValues: boolean;
}

export interface Fallback {
  readonly failureThreshold: number;
  readonly replicas: number;
  readonly behavior: 'static' | 'currentReplicas' | 'currentReplicasIfHigher' | 'currentReplicasIfLower';
}

export interface ScaledObjectSpec {
  readonly minReplicaCount: number;
  readonly maxReplicaCount: number;
  readonly idleReplicaCount: number | undefined;
  readonly pollingIntervalSeconds: number;
  readonly cooldownSeconds: number;
  readonly initialCooldownSeconds: number;
  readonly triggers: readonly Trigger[];
  readonly fallback: Fallback | undefined;
  readonly behavior: Behavior | undefined;
}

export const KEDA_DEFAULTS = {
  minReplicaCount: 0,
  maxReplicaCount: 100,
  pollingIntervalSeconds: 30,
  cooldownSeconds: 300,
  initialCooldownSeconds: 0,
} as const;
