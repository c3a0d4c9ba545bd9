/** A HorizontalPodAutoscaler of autoscaling/v2 as far as it decides anything, with the defaults of the API filled in. */

export interface ScalingPolicy {
  readonly type: 'Pods' | 'Percent';
  readonly value: number;
  readonly periodSeconds: number;
}

export interface ScalingRules {
  readonly stabilizationWindowSeconds: number;
  readonly selectPolicy: 'Max' | 'Min' | 'Disabled';
  readonly policies: readonly ScalingPolicy[];
  /** Ratio that is near enough to 1; the controller's own where it is undefined. */
  readonly tolerance?: number | undefined;
}

export type MetricTarget =
  | { readonly type: 'Utilization'; readonly percent: number }
  /** In cores, bytes, or whatever the metric counts. */
  | { readonly type: 'AverageValue'; readonly value: number }
  | { readonly type: 'Value'; readonly value: number };

export interface MetricSpec {
  readonly kind: 'Resource' | 'Pods' | 'Object' | 'External';
  /** `cpu`, `memory`, or the metric's own. */
  readonly name: string;
  readonly target: MetricTarget;
  /** Of an external metric, as matchers of PromQL. */
  readonly selector?: string | undefined;
}

export interface Behavior {
  readonly scaleUp: ScalingRules;
  readonly scaleDown: ScalingRules;
}

export interface HpaSpec {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly metrics: readonly MetricSpec[];
  /** Undefined where the object says nothing of it: the controller then has limits of its own. */
  readonly behavior?: Behavior | undefined;
}

export const DEFAULT_SCALE_UP: ScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};

export const DEFAULT_SCALE_DOWN: ScalingRules = {
  stabilizationWindowSeconds: 300,
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
};

/** Flags of the controller manager, with their defaults. */
export interface ControllerSettings {
  readonly syncPeriodSeconds: number;
  readonly tolerance: number;
  readonly downscaleStabilizationSeconds: number;
  readonly cpuInitializationSeconds: number;
  readonly initialReadinessDelaySeconds: number;
}

export const CONTROLLER_DEFAULTS: ControllerSettings = {
  syncPeriodSeconds: 15,
  tolerance: 0.1,
  downscaleStabilizationSeconds: 300,
  cpuInitializationSeconds: 300,
  initialReadinessDelaySeconds: 30,
};
