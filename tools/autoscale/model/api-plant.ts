/**
 * Pods of the api. Requests come by chance (Poisson), each to any pod that is ready; there they wait for the processor, take their
 * time of it, and then wait for the database, whose time does not depend on the load here. One that would have to wait longer than
 * ADMISSION_WAIT_MS is refused, which takes processor time too.
 */
import { RequestWindow } from '#libs/observability';
import type { ApiFigures } from '../figures/figures';
import type { Series } from '../prometheus/samples';
import { Fleet } from './fleet';
import { Latencies } from './latencies';
import { busyUntil, NAMESPACE, type Outcome, type Plant, type PlantRow } from './plant';
import type { Pod } from './pod';
import { exponential, fromQuantiles, type Random, randomNumbers } from './random';
import type { Workload } from './workload';

export interface ApiPlantOptions {
  readonly workload: Workload;
  readonly figures: ApiFigures;
  readonly seed: number;
  /** Requests a second. */
  rate(at: number): number;
  readonly objectiveSeconds: number;
  readonly admissionWaitSeconds: number;
  /** One second in so many is looked at request by request. */
  readonly stride: number;
}

export class ApiPlant implements Plant {
  readonly fleet: Fleet;
  private readonly random: Random;
  private readonly windows = new Map<Pod, RequestWindow>();
  private readonly meanWork: number;
  private latencies = new Latencies();
  private readonly counts = { total: 0, inTime: 0, failed: 0 };
  private readonly shares: readonly number[];

  constructor(private readonly options: ApiPlantOptions) {
    const { figures, workload, seed } = options;
    this.random = randomNumbers(seed);
    this.fleet = new Fleet(workload, figures, busyUntil);
    this.meanWork = figures.requests.reduce((sum, { share, cpu_seconds }) => sum + share * cpu_seconds, 0);
    let sum = 0;
    this.shares = figures.requests.map(({ share }) => (sum += share));
  }

  advance(now: number, looked: boolean): void {
    const pods = this.fleet.serving(now);
    const perSecond = this.options.rate(now);
    const { stride } = this.options;
    if (perSecond <= 0) return;
    if (pods.length === 0) {
      if (looked) this.fail(perSecond * stride);
      return;
    }
    const each = perSecond / pods.length;
    for (const pod of pods) {
      if (looked) this.requests(pod, now, each);
      else pod.processor.flow(now, now + 1, this.fluidWork(pod, now, each));
    }
  }

  series(now: number): Series[] {
    return this.fleet.serving(now).flatMap((pod) => {
      const { perSecond, p95Ms } = this.window(pod, now).signals(now * 1_000);
      const labels = { namespace: NAMESPACE, pod: pod.name, service: pod.workload.name };
      return [
        { metric: 'http_requests_per_second', labels, value: perSecond * this.options.stride },
        { metric: 'stockyard_http_p95_seconds', labels, value: p95Ms / 1_000 },
      ];
    });
  }

  row(now: number): PlantRow {
    const p95Seconds = this.latencies.quantile(0.95);
    this.latencies = new Latencies();
    const waiting = this.fleet
      .serving(now)
      .map(({ processor }) => Math.max(0, processor.freeAt - now) * processor.speed);
    return { p95Seconds, backlog: waiting.reduce((sum, work) => sum + work, 0) / this.meanWork, oldestSeconds: 0 };
  }

  outcome(): Outcome {
    return { ...this.counts };
  }

  private requests(pod: Pod, now: number, perSecond: number): void {
    const { stride, objectiveSeconds, admissionWaitSeconds, figures } = this.options;
    const { processor } = pod;
    const window = this.window(pod, now);
    for (let at = now; ;) {
      at += exponential(this.random, 1 / perSecond);
      if (at >= now + 1) return;
      const which = this.random();
      const kind = figures.requests[this.shares.findIndex((share) => which < share)] ?? figures.requests.at(-1)!;
      if (processor.freeAt - at > admissionWaitSeconds) {
        window.record((processor.serve(at, figures.refusal_cpu_seconds) - at) * 1_000, at * 1_000);
        this.fail(stride);
        continue;
      }
      const seconds = processor.serve(at, kind.cpu_seconds) - at + fromQuantiles(kind.wait_seconds, this.random);
      this.latencies.add(seconds, stride);
      window.record(seconds * 1_000, at * 1_000);
      this.counts.total += stride;
      if (seconds <= objectiveSeconds) this.counts.inTime += stride;
    }
  }

  /** As much is let in as can begin in time; the rest is refused, and takes its part of the processor. */
  private fluidWork({ processor }: Pod, now: number, perSecond: number): number {
    const { admissionWaitSeconds, figures } = this.options;
    const work = perSecond * this.meanWork;
    const room = (admissionWaitSeconds + 1 - Math.max(0, processor.freeAt - now)) * processor.speed;
    return Math.min(work, Math.max(room, perSecond * figures.refusal_cpu_seconds));
  }

  private fail(requests: number): void {
    this.counts.total += requests;
    this.counts.failed += requests;
  }

  private window(pod: Pod, now: number): RequestWindow {
    const window = this.windows.get(pod) ?? new RequestWindow(now * 1_000);
    this.windows.set(pod, window);
    return window;
  }
}
