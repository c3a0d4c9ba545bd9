/**
 * How many pods one metric asks for: ceil(pods × value ÷ target), nothing within the tolerance, and with pods of which nothing is
 * known taken so that they dampen the change: on the way down as using what they should, on the way up as using nothing
 * (kubernetes.io, "Horizontal Pod Autoscaling", algorithm details).
 */
import type { Observation, PodSamples, PodView } from './observation';
import { groupPods, type Timing } from './pod-groups';
import type { MetricSpec, MetricTarget } from './spec';

/** By how much a ratio may differ from 1 without anything being done, in each direction. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

export interface WishContext {
  readonly now: number;
  readonly observation: Observation;
  /** What the workload asks for, and the pods that there are. */
  readonly specReplicas: number;
  readonly statusReplicas: number;
  readonly tolerances: Tolerances;
  readonly timing: Timing;
}

/** What a metric asks for. Null where it is not known. */
export function wishOf(metric: MetricSpec, context: WishContext): number | null {
  if (metric.kind === 'Resource') return ofResource(metric.name, metric.target, context);
  if (metric.kind === 'Pods') return ofPods(metric.name, metric.target, context);
  return ofOne(metric, context);
}

const isNear = (ratio: number, { up, down }: Tolerances): boolean => ratio >= 1 - down && ratio <= 1 + up;

type Ratio = (values: ReadonlyMap<string, number>) => number;

function ofResource(name: string, target: MetricTarget, context: WishContext): number | null {
  const samples = context.observation.resource(name);
  const requests = new Map(context.observation.pods.map((pod) => [pod.name, pod.requests[name] ?? 0]));
  if (target.type === 'Utilization') {
    // Utilization is a whole percentage, cut off, as the controller computes it.
    const ratio: Ratio = (values) => {
      const asked = sum([...values.keys()].map((pod) => requests.get(pod) ?? 0));
      return Math.trunc((sum(values.values()) * 100) / asked + ROUNDING) / target.percent;
    };
    const whole = (pod: string): number => ((requests.get(pod) ?? 0) * Math.max(100, target.percent)) / 100;
    return fromPods({ samples, ratio, whole, isCpu: name === 'cpu' }, context);
  }
  return fromPods(
    { samples, ratio: meanRatio(target.value), whole: () => target.value, isCpu: name === 'cpu' },
    context,
  );
}

function ofPods(name: string, target: MetricTarget, context: WishContext): number | null {
  if (target.type !== 'AverageValue') return null;
  const samples = context.observation.podMetric(name);
  const whole = (): number => target.value;
  return fromPods({ samples, ratio: meanRatio(target.value), whole, isCpu: false }, context);
}

interface PodMetric {
  readonly samples: PodSamples | null;
  readonly ratio: Ratio;
  /** What a pod is taken to use of which nothing is known while others use too little. */
  whole(pod: string): number;
  readonly isCpu: boolean;
}

/** Null where no pod counts. */
function fromPods({ samples, ratio: ratioOf, whole, isCpu }: PodMetric, context: WishContext): number | null {
  const { observation, specReplicas: current, tolerances } = context;
  if (!samples || samples.size === 0 || observation.pods.length === 0) return null;
  const { ready, unready, missing } = groupPods(observation.pods, samples, { ...context, isCpu });
  if (ready.size === 0) return null;
  const values = new Map([...ready].map((pod) => [pod, samples.get(pod)!.value]));
  const ratio = ratioOf(values);
  const upWithUnready = unready.size > 0 && ratio > 1;
  if (!upWithUnready && missing.size === 0) return isNear(ratio, tolerances) ? current : roundUp(ratio * ready.size);
  for (const pod of missing) {
    if (ratio < 1) values.set(pod, whole(pod));
    else if (ratio > 1) values.set(pod, 0);
  }
  if (upWithUnready) for (const pod of unready) values.set(pod, 0);
  const damped = ratioOf(values);
  const turns = (ratio < 1 && damped > 1) || (ratio > 1 && damped < 1);
  if (turns || isNear(damped, tolerances)) return current;
  const wish = roundUp(damped * values.size);
  const isAgainst = (damped < 1 && wish > current) || (damped > 1 && wish < current);
  return isAgainst ? current : wish;
}

/** One number of an object, or from outside. `AverageValue` shares it among the pods that there are; `Value` compares it as it is. */
function ofOne({ name, target, selector }: MetricSpec, context: WishContext): number | null {
  const value = context.observation.single(name, selector);
  if (value === null || target.type === 'Utilization') return null;
  const { statusReplicas, specReplicas, observation, tolerances } = context;
  if (target.type === 'AverageValue') {
    const ratio = value / (target.value * statusReplicas);
    return isNear(ratio, tolerances) ? statusReplicas : roundUp(value / target.value);
  }
  const ratio = value / target.value;
  if (specReplicas === 0) return roundUp(ratio);
  return isNear(ratio, tolerances) ? specReplicas : roundUp(ratio * readyPods(observation.pods));
}

export const readyPods = (pods: readonly PodView[]): number =>
  pods.filter(({ phase, ready }) => phase === 'Running' && ready === true).length;

/** What floating point adds must not make a pod: the controller counts in whole numbers. */
const ROUNDING = 1e-9;
const roundUp = (pods: number): number => Math.max(0, Math.ceil(pods - ROUNDING));

/** Means are whole thousandths, cut off. */
function meanRatio(target: number): Ratio {
  return (values) => Math.trunc((sum(values.values()) / values.size) * 1_000 + ROUNDING) / 1_000 / target;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
