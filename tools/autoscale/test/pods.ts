/** Pods and what is known of them, for specs of the algorithms. */
import type { Observation, PodSamples, PodView } from '../hpa/observation';
import { CONTROLLER_DEFAULTS } from '../hpa/spec';
import type { WishContext } from '../hpa/replica-wish';

export const NOW = 100_000;

/** One that has been ready for long. */
export function pod(name: string, changes: Partial<PodView> = {}): PodView {
  return {
    name,
    phase: 'Running',
    deleting: false,
    startedAt: NOW - 10_000,
    ready: true,
    readyChangedAt: NOW - 9_990,
    requests: { cpu: 1, memory: 100 },
    ...changes,
  };
}

export const pods = (count: number): PodView[] => Array.from({ length: count }, (_, index) => pod(`pod-${index}`));

/** `values` by the number of the pod; undefined: nothing is known of it. */
export function samples(values: readonly (number | undefined)[]): PodSamples {
  const known = values.flatMap((value, index) =>
    value === undefined ? [] : [[`pod-${index}`, { value, at: NOW, windowSeconds: 15 }] as const],
  );
  return new Map(known);
}

export interface Seen {
  readonly pods: readonly PodView[];
  readonly cpu?: PodSamples;
  readonly memory?: PodSamples;
  readonly metric?: PodSamples | null;
  readonly single?: number | null;
}

export function observation({ pods: there, cpu, memory, metric = null, single = null }: Seen): Observation {
  return {
    pods: there,
    resource: (name) => (name === 'cpu' ? cpu : memory) ?? null,
    podMetric: () => metric,
    single: () => single,
  };
}

export function context(seen: Seen, changes: Partial<WishContext> = {}): WishContext {
  const replicas = seen.pods.filter(({ deleting }) => !deleting).length;
  return {
    now: NOW,
    observation: observation(seen),
    specReplicas: replicas,
    statusReplicas: replicas,
    tolerances: { up: 0.1, down: 0.1 },
    timing: CONTROLLER_DEFAULTS,
    ...changes,
  };
}
