/** A rendered ScaledObject of KEDA. */
import { KEDA_DEFAULTS, type Fallback, type ScaledObjectSpec, type Trigger } from '../keda/spec';
import { type RawBehavior, readBehavior } from './read-behavior';

interface RawTrigger {
  readonly type: string;
  readonly name?: string;
  readonly metricType?: Trigger['metricType'];
  readonly metadata: Readonly<Record<string, string>>;
}
export interface RawScaledObject {
  readonly scaleTargetRef: { readonly name: string };
  readonly minReplicaCount?: number;
  readonly maxReplicaCount?: number;
  readonly idleReplicaCount?: number;
  readonly pollingInterval?: number;
  readonly cooldownPeriod?: number;
  readonly initialCooldownPeriod?: number;
  readonly triggers: readonly RawTrigger[];
  readonly fallback?: Partial<Fallback> & Pick<Fallback, 'failureThreshold' | 'replicas'>;
  readonly advanced?: { readonly horizontalPodAutoscalerConfig?: { readonly behavior?: RawBehavior } };
}

export function readScaledObject(raw: RawScaledObject): ScaledObjectSpec {
  const defaults = KEDA_DEFAULTS;
  return {
    minReplicaCount: raw.minReplicaCount ?? defaults.minReplicaCount,
    maxReplicaCount: raw.maxReplicaCount ?? defaults.maxReplicaCount,
    idleReplicaCount: raw.idleReplicaCount,
    pollingIntervalSeconds: raw.pollingInterval ?? defaults.pollingIntervalSeconds,
    cooldownSeconds: raw.cooldownPeriod ?? defaults.cooldownSeconds,
    initialCooldownSeconds: raw.initialCooldownPeriod ?? defaults.initialCooldownSeconds,
    triggers: raw.triggers.map(readTrigger),
    fallback: raw.fallback && { behavior: 'static', ...raw.fallback },
    behavior: readBehavior(raw.advanced?.horizontalPodAutoscalerConfig?.behavior),
  };
}

function readTrigger({ type, name, metricType, metadata }: RawTrigger, index: number): Trigger {
  if (type === 'cpu' || type === 'memory') {
    const threshold = Number(metadata.value);
    const resource = { name: type, query: undefined, resource: type, metricType: metricType ?? 'Utilization' } as const;
    return { ...resource, threshold, activationThreshold: 0, ignoreNullValues: true };
  }
  if (type !== 'prometheus' || metadata.query === undefined)
    throw new TypeError(`The simulation knows no KEDA trigger of type ${type}.`);
  return {
    name: name ?? `s${index}-prometheus`,
    query: metadata.query,
    resource: undefined,
    metricType: metricType ?? 'AverageValue',
    threshold: Number(metadata.threshold),
    activationThreshold: Number(metadata.activationThreshold ?? 0),
    ignoreNullValues: metadata.ignoreNullValues !== 'false',
  };
}
