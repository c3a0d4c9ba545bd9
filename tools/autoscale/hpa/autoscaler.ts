/** One HorizontalPodAutoscaler as its controller handles it, once every sync period. */
import { ScalingHistory } from './behavior';
import type { Observation } from './observation';
import { CONTROLLER_DEFAULTS, type ControllerSettings, type HpaSpec } from './spec';
import { type WishContext, wishOf } from './replica-wish';

export interface Scale {
  readonly specReplicas: number;
  readonly statusReplicas: number;
}

export interface Decision {
  readonly replicas: number;
  /** What each metric asked for, in their order; null where it was not known. */
  readonly wishes: readonly (number | null)[];
  /** The metric that asked for most; undefined where none decided. */
  readonly by: string | undefined;
}

/** Without `behavior`, a step up at most doubles, or reaches four. */
const UP_FACTOR = 2;
const UP_LEAST = 4;

export class HorizontalPodAutoscaler {
  private history: ScalingHistory | undefined;

  constructor(
    readonly spec: HpaSpec,
    private readonly settings: ControllerSettings = CONTROLLER_DEFAULTS,
  ) {}

  /** What the workload should have from now on; the caller sets it. */
  reconcile(now: number, scale: Scale, observation: Observation): Decision {
    const { specReplicas: current } = scale;
    const { minReplicas, maxReplicas } = this.spec;
    this.history ??= new ScalingHistory(now, current);
    const nothing = { wishes: [], by: undefined };
    if (current === 0 && minReplicas !== 0) return { replicas: 0, ...nothing }; // somebody has switched it off
    if (current > maxReplicas) return this.decide(now, current, { replicas: maxReplicas, ...nothing });
    if (current < minReplicas) return this.decide(now, current, { replicas: minReplicas, ...nothing });
    const { wish, wishes, by } = this.largestWish({ now, observation, ...scale, ...this.context() });
    if (wish === null) return { replicas: current, wishes, by };
    const replicas = this.normalize({ now, current, wish });
    return this.decide(now, current, { replicas, wishes, by });
  }

  private decide(now: number, current: number, decision: Decision): Decision {
    this.history!.changed(now, current, decision.replicas);
    return decision;
  }

  private context(): Pick<WishContext, 'tolerances' | 'timing'> {
    const { behavior } = this.spec;
    const { tolerance } = this.settings;
    const tolerances = {
      up: behavior?.scaleUp.tolerance ?? tolerance,
      down: behavior?.scaleDown.tolerance ?? tolerance,
    };
    return { tolerances, timing: this.settings };
  }

  /** Nothing goes down while a metric is not known, and nothing happens while none is. */
  private largestWish(context: WishContext) {
    const wishes = this.spec.metrics.map((metric) => wishOf(metric, context));
    const known = wishes.filter((wish) => wish !== null);
    const wish = known.length === 0 ? null : Math.max(...known);
    const isUnsafe = known.length < wishes.length && wish !== null && wish < context.specReplicas;
    if (wish === null || isUnsafe) return { wish: null, wishes, by: undefined };
    return { wish, wishes, by: this.spec.metrics[wishes.indexOf(wish)]!.name };
  }

  private normalize({ now, current, wish }: { now: number; current: number; wish: number }): number {
    const { behavior, minReplicas, maxReplicas } = this.spec;
    const history = this.history!;
    let limited: number;
    if (behavior) {
      const { scaleUp, scaleDown } = behavior;
      const windows = {
        upSeconds: scaleUp.stabilizationWindowSeconds,
        downSeconds: scaleDown.stabilizationWindowSeconds,
      };
      limited = history.limit({ now, current, wish: history.stabilize({ now, current, wish }, windows) }, behavior);
    } else {
      const highest = history.highest({ now, wish }, this.settings.downscaleStabilizationSeconds);
      limited = Math.min(highest, Math.max(UP_FACTOR * current, UP_LEAST));
    }
    return Math.min(Math.max(limited, minReplicas), maxReplicas);
  }
}
