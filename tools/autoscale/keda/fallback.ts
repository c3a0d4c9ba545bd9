/** How many replicas a trigger asks for whose source has failed too often in a row (keda.sh, "ScaledObject specification", fallback). */
import type { Fallback } from './spec';

export function fallbackReplicas({ behavior, replicas }: Fallback, current: number): number {
  switch (behavior) {
    case 'static':
      return replicas;
    case 'currentReplicas':
      return current;
    case 'currentReplicasIfHigher':
      return Math.max(current, replicas);
    case 'currentReplicasIfLower':
      return Math.min(current, replicas);
  }
}
