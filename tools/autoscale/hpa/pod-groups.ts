/**
 * Which pods count (kubernetes.io, "Horizontal Pod Autoscaling", algorithm details): those that are being deleted or have failed do
 * not; those that are not ready yet, or whose processor time is still that of starting, are set aside; those without a figure are
 * missing.
 */
import type { PodSamples, PodView } from './observation';
import type { ControllerSettings } from './spec';

export interface PodGroups {
  readonly ready: ReadonlySet<string>;
  readonly unready: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
}

export type Timing = Pick<ControllerSettings, 'cpuInitializationSeconds' | 'initialReadinessDelaySeconds'>;

/** `isCpu`: only processor time is distorted by starting. */
export function groupPods(
  pods: readonly PodView[],
  samples: PodSamples,
  { now, isCpu, timing }: { now: number; isCpu: boolean; timing: Timing },
): PodGroups {
  const [ready, unready, missing] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const pod of pods) {
    if (pod.deleting || pod.phase === 'Failed') continue;
    const sample = samples.get(pod.name);
    if (pod.phase === 'Pending') unready.add(pod.name);
    else if (!sample) missing.add(pod.name);
    else if (isCpu && isStarting(pod, sample.at - sample.windowSeconds, now, timing)) unready.add(pod.name);
    else ready.add(pod.name);
  }
  return { ready, unready, missing };
}

/**
 * Within the initialization period: not ready, or the sample's window began before the pod last changed. Afterwards: not ready, and
 * never was, as the condition has not changed since shortly after the start.
 */
function isStarting(pod: PodView, windowBegan: number, now: number, timing: Timing): boolean {
  if (pod.ready === null || pod.startedAt === null) return true;
  if (pod.startedAt + timing.cpuInitializationSeconds > now) return !pod.ready || windowBegan < pod.readyChangedAt;
  return !pod.ready && pod.startedAt + timing.initialReadinessDelaySeconds > pod.readyChangedAt;
}
