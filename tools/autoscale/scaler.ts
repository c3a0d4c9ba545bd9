/** Whatever scales a fleet: looks when its controllers look, and sets how many there shall be. */
import type { ScalerSpec } from './chart/read-chart';
import type { Decision } from './hpa/autoscaler';
import { HorizontalPodAutoscaler } from './hpa/autoscaler';
import { CONTROLLER_DEFAULTS, type HpaSpec } from './hpa/spec';
import { ScaledObject } from './keda/scaled-object';
import type { Fleet } from './model/fleet';
import type { Monitoring } from './model/monitoring';

export interface Scaler {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** Metric that asked for most at the last look. */
  readonly by: string | undefined;
  /** Every second. */
  step(now: number): void;
}

/** Controllers do not look in the moment in which Prometheus scrapes. */
const LOOKS_AT = 7;

abstract class Looking implements Scaler {
  by: string | undefined;
  abstract readonly minReplicas: number;
  abstract readonly maxReplicas: number;

  constructor(protected readonly fleet: Fleet) {}

  step(now: number): void {
    if (mod(now, CONTROLLER_DEFAULTS.syncPeriodSeconds) !== LOOKS_AT) return;
    const { replicas, by } = this.decide(now);
    this.by = by ?? this.by;
    if (replicas !== this.fleet.replicas) this.fleet.scale(now, replicas);
  }

  protected scale(now: number) {
    return { specReplicas: this.fleet.replicas, statusReplicas: this.fleet.present(now).length };
  }

  protected abstract decide(now: number): Decision;
}

class HpaScaler extends Looking {
  private readonly autoscaler: HorizontalPodAutoscaler;
  readonly minReplicas: number;
  readonly maxReplicas: number;

  constructor(
    spec: HpaSpec,
    fleet: Fleet,
    private readonly monitoring: Monitoring,
  ) {
    super(fleet);
    this.autoscaler = new HorizontalPodAutoscaler(spec);
    ({ minReplicas: this.minReplicas, maxReplicas: this.maxReplicas } = spec);
  }

  protected override decide(now: number): Decision {
    return this.autoscaler.reconcile(now, this.scale(now), this.monitoring.observe(now));
  }
}

class KedaScaler extends Looking {
  private scaledObject: ScaledObject | undefined;
  readonly minReplicas: number;
  readonly maxReplicas: number;

  constructor(
    private readonly spec: Extract<ScalerSpec, { kind: 'keda' }>['scaledObject'],
    fleet: Fleet,
    private readonly monitoring: Monitoring,
  ) {
    super(fleet);
    ({ minReplicaCount: this.minReplicas, maxReplicaCount: this.maxReplicas } = spec);
  }

  override step(now: number): void {
    this.scaledObject ??= new ScaledObject(this.spec, now);
    if (mod(now, this.spec.pollingIntervalSeconds) === 0) {
      const replicas = this.scaledObject.poll(now, this.scale(now), this.monitoring.observe(now));
      if (replicas !== this.fleet.replicas) this.fleet.scale(now, replicas);
    }
    super.step(now);
  }

  protected override decide(now: number): Decision {
    return this.scaledObject!.reconcile(now, this.scale(now), this.monitoring.observe(now));
  }
}

export function scalerOf(spec: ScalerSpec, fleet: Fleet, monitoring: Monitoring): Scaler {
  return spec.kind === 'hpa'
    ? new HpaScaler(spec.hpa, fleet, monitoring)
    : new KedaScaler(spec.scaledObject, fleet, monitoring);
}

const mod = (value: number, by: number): number => ((value % by) + by) % by;
