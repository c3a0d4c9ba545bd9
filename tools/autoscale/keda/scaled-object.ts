/**
 * What KEDA's operator makes of a ScaledObject: an autoscaler with one metric for each trigger, which does everything above nothing;
 * and, every polling interval, from nothing (or idle) to the minimum when a trigger is active, and back when none has been for the
 * cooldown (keda.sh, "Scaling Deployments, StatefulSets & Custom Resources" and "ScaledObject specification").
 */
import { type Decision, HorizontalPodAutoscaler, type Scale } from '../hpa/autoscaler';
import type { Observation } from '../hpa/observation';
import { readyPods } from '../hpa/replica-wish';
import { CONTROLLER_DEFAULTS, type ControllerSettings, type HpaSpec, type MetricSpec } from '../hpa/spec';
import { fallbackReplicas } from './fallback';
import type { ScaledObjectSpec, Trigger } from './spec';

export interface KedaObservation extends Observation {
  /** The one number that Prometheus answers with, undefined where it has no series. Throws while it does not answer. */
  query(query: string): number | undefined;
}

export class ScaledObject {
  readonly autoscaler: HorizontalPodAutoscaler;
  private lastActiveAt: number | undefined;
  private readonly failures = new Map<string, number>();

  constructor(
    private readonly spec: ScaledObjectSpec,
    private readonly createdAt: number,
    settings: ControllerSettings = CONTROLLER_DEFAULTS,
  ) {
    this.autoscaler = new HorizontalPodAutoscaler(autoscalerOf(spec), settings);
  }

  /** What the autoscaler's controller does every sync period. */
  reconcile(now: number, scale: Scale, observation: KedaObservation): Decision {
    const single = (name: string): number | null => this.metric(name, observation, scale);
    return this.autoscaler.reconcile(now, scale, { ...observation, single });
  }

  /** What the operator does every polling interval; it leaves everything above the minimum to the autoscaler. */
  poll(now: number, { specReplicas: current }: Scale, observation: KedaObservation): number {
    const { minReplicaCount: min, idleReplicaCount: idle, fallback } = this.spec;
    const states = this.spec.triggers.map((trigger) => activity(trigger, observation));
    const failed = states.includes('unknown');
    if (states.includes('active')) {
      const isAsleep = current === 0 || (idle !== undefined && current < min);
      if (isAsleep || !failed) this.lastActiveAt = now;
      return isAsleep ? Math.max(min, 1) : current;
    }
    if (failed && fallback?.replicas !== 0) return current;
    if (idle === undefined ? current > 0 && min === 0 : current > idle) return this.isCool(now) ? (idle ?? 0) : current;
    return idle === undefined ? Math.max(current, min) : current;
  }

  private isCool(now: number): boolean {
    const { cooldownSeconds, initialCooldownSeconds } = this.spec;
    if (this.lastActiveAt === undefined) return now > this.createdAt + initialCooldownSeconds;
    return now > this.lastActiveAt + cooldownSeconds;
  }

  /** The value that the autoscaler gets for a trigger: its own, or, after failures in a row, one that asks for the fallback. */
  private metric(name: string, observation: KedaObservation, { specReplicas }: Scale): number | null {
    const trigger = this.spec.triggers.find((one) => one.name === name)!;
    const value = valueOf(trigger, observation);
    if (value !== null) {
      this.failures.set(name, 0);
      return value;
    }
    const failures = (this.failures.get(name) ?? 0) + 1;
    this.failures.set(name, failures);
    const { fallback } = this.spec;
    if (!fallback || failures <= fallback.failureThreshold) return null;
    const replicas = fallbackReplicas(fallback, specReplicas) * trigger.threshold;
    if (trigger.metricType !== 'Value') return replicas;
    // The autoscaler will multiply it by the pods that are ready.
    const ready = readyPods(observation.pods);
    return ready === 0 ? null : replicas / ready;
  }
}

function autoscalerOf({ minReplicaCount, maxReplicaCount, triggers, behavior }: ScaledObjectSpec): HpaSpec {
  return {
    minReplicas: Math.max(minReplicaCount, 1),
    maxReplicas: maxReplicaCount,
    metrics: triggers.map(metricOf),
    behavior,
  };
}

function metricOf({ name, resource, metricType, threshold }: Trigger): MetricSpec {
  if (metricType === 'Utilization')
    return { kind: 'Resource', name: resource ?? name, target: { type: 'Utilization', percent: threshold } };
  return {
    kind: resource ? 'Resource' : 'External',
    name: resource ?? name,
    target: { type: metricType, value: threshold },
  };
}

/** Null where there is none. */
function valueOf({ query, ignoreNullValues }: Trigger, observation: KedaObservation): number | null {
  if (query === undefined) return null;
  try {
    const value = observation.query(query);
    if (value === undefined || !Number.isFinite(value)) return ignoreNullValues ? 0 : null;
    return value;
  } catch (error) {
    if (error instanceof QueryOutage) return null;
    throw error;
  }
}

/** `cpu` and `memory` say nothing of whether there is work. */
function activity(trigger: Trigger, observation: KedaObservation): 'active' | 'quiet' | 'unknown' {
  if (trigger.query === undefined) return 'quiet';
  const value = valueOf(trigger, observation);
  if (value === null) return 'unknown';
  return value > trigger.activationThreshold ? 'active' : 'quiet';
}

/** Prometheus does not answer. */
export class QueryOutage extends Error {}
