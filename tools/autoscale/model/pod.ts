/** A pod's life: scheduled, its container started, its process starting under its limit, ready by its probes, told to stop, gone. */
import type { PodView } from '../hpa/observation';
import { Processor } from './processor';
import type { Probe, ProcessFigures, Workload } from './workload';

/** Assumed, as no process of ours decides it: a node with room that has the image. */
export const CLUSTER_SECONDS = { schedule: 1, container: 2, endpoints: 1, stop: 2 } as const;

export class Pod {
  readonly processor: Processor;
  /** When the kubelet took it, its container began, and it got its first request at the earliest. */
  readonly startedAt: number;
  readonly readyAt: number;
  readonly servesAt: number;
  /** When it was told to stop; it is paid for until `goneAt`. */
  private stoppedAt = Infinity;
  goneAt = Infinity;

  /** `isOld`: it has been there for long. */
  constructor(
    readonly name: string,
    readonly workload: Workload,
    private readonly figures: ProcessFigures,
    { createdAt, isOld = false }: { createdAt: number; isOld?: boolean },
  ) {
    const limit = workload.limits.cpu ?? Infinity;
    const container = createdAt + CLUSTER_SECONDS.schedule + CLUSTER_SECONDS.container;
    this.startedAt = isOld ? createdAt - LONG_SECONDS : createdAt + CLUSTER_SECONDS.schedule;
    this.processor = new Processor(limit, isOld ? createdAt : container);
    if (isOld) {
      [this.readyAt, this.servesAt] = [this.startedAt, createdAt];
      return;
    }
    const computed = this.processor.serve(container, figures.start_cpu_seconds);
    const answers = Math.max(computed, container + figures.start_seconds);
    const started = nextProbe(workload.startupProbe, container, answers);
    this.readyAt = nextProbe(workload.readinessProbe, container, started);
    this.servesAt = this.readyAt + CLUSTER_SECONDS.endpoints;
  }

  serves(now: number): boolean {
    return now >= this.servesAt && now < this.stoppedAt;
  }

  /** `busyUntil`: when what it has been given will be done. */
  stop(now: number, busyUntil: number): void {
    this.stoppedAt = now;
    this.goneAt = Math.max(now + this.workload.preStopSeconds, busyUntil) + CLUSTER_SECONDS.stop;
  }

  isStopping(now: number): boolean {
    return now >= this.stoppedAt;
  }

  isReady(now: number): boolean {
    return now >= this.readyAt;
  }

  /** Working set, by how much of a processor it has been using. */
  memory(cores: number): number {
    const { idle_bytes: idle, busy_bytes: busy } = this.figures;
    return idle + (busy - idle) * Math.min(1, cores / this.processor.speed);
  }

  view(now: number): PodView {
    const isReady = this.isReady(now);
    return {
      name: this.name,
      phase: now >= this.startedAt + CLUSTER_SECONDS.container ? 'Running' : 'Pending',
      deleting: this.isStopping(now),
      startedAt: now >= this.startedAt ? this.startedAt : null,
      ready: now >= this.startedAt ? isReady : null,
      readyChangedAt: isReady ? this.readyAt : this.startedAt,
      requests: this.workload.requests,
    };
  }
}

const LONG_SECONDS = 86_400;

/** The first probe from then on: they come evenly from the container's start. */
function nextProbe(probe: Probe | undefined, container: number, from: number): number {
  if (!probe) return from;
  const first = container + probe.initialDelaySeconds;
  const missed = Math.max(0, Math.ceil((from - first) / probe.periodSeconds - 1e-9));
  return first + missed * probe.periodSeconds;
}
