/** The `behavior` of an autoscaler, with the defaults of autoscaling/v2 for what it leaves out. */
import {
  type Behavior,
  DEFAULT_SCALE_DOWN,
  DEFAULT_SCALE_UP,
  type ScalingPolicy,
  type ScalingRules,
} from '../hpa/spec';
import { quantity } from './quantity';

export interface RawRules {
  readonly stabilizationWindowSeconds?: number;
  readonly selectPolicy?: ScalingRules['selectPolicy'];
  readonly policies?: readonly ScalingPolicy[];
  readonly tolerance?: string | number;
}
export interface RawBehavior {
  readonly scaleUp?: RawRules;
  readonly scaleDown?: RawRules;
}

export function readBehavior(raw: RawBehavior | undefined): Behavior | undefined {
  if (!raw) return undefined;
  return { scaleUp: rules(raw.scaleUp, DEFAULT_SCALE_UP), scaleDown: rules(raw.scaleDown, DEFAULT_SCALE_DOWN) };
}

function rules(raw: RawRules = {}, defaults: ScalingRules): ScalingRules {
  return {
    stabilizationWindowSeconds: raw.stabilizationWindowSeconds ?? defaults.stabilizationWindowSeconds,
    selectPolicy: raw.selectPolicy ?? defaults.selectPolicy,
    policies: raw.policies ?? defaults.policies,
    tolerance: raw.tolerance === undefined ? undefined : quantity(raw.tolerance),
  };
}
