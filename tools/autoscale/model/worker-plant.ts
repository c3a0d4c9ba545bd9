/**
 * Pods of a group of workers. Jobs of one class wait in one line; a pod takes as many at once as the class has slots in it. A job
 * takes its time of the processor and then waits for others, as one does that calls somebody's system.
 */
import type { WorkerFigures } from '../figures/figures';
import type { Series } from '../prometheus/samples';
import { Fleet } from './fleet';
import { Latencies } from './latencies';
import { NAMESPACE, type Outcome, type Plant, type PlantRow } from './plant';
import type { Pod } from './pod';
import { exponential, type Random, randomNumbers } from './random';
import type { Workload } from './workload';

export interface WorkerPlantOptions {
  readonly workload: Workload;
  readonly figures: WorkerFigures;
  /** That the jobs are of; and what a worker can run at once of each class of its group. */
  readonly jobClass: string;
  readonly slots: ReadonlyMap<string, number>;
  readonly seed: number;
  /** Jobs a second that come evenly, and those that come at once in the second that begins then. */
  rate(at: number): number;
  atOnce(at: number): number;
  /** Time of a job without its processor time. */
  readonly waitSeconds: number;
  /** Longest that a job should wait for its turn. */
  readonly objectiveSeconds: number;
}

/** Of the newest job in the smoothed service time, as libs/queues/src/running/worker-roll.ts has it. */
const NEWEST = 0.05;
const UNKNOWN_SERVICE_SECONDS = 1;
/** The processes that show the queues: each shows all of them. */
const METRICS_PODS = ['metrics-1', 'metrics-2'];

export class WorkerPlant implements Plant {
  readonly fleet: Fleet;
  private readonly random: Random;
  /** When the jobs that wait were made. The first `head` have begun. */
  private line: number[] = [];
  private head = 0;
  private readonly freeAt = new Map<Pod, number[]>();
  private waits = new Latencies();
  private serviceSeconds = UNKNOWN_SERVICE_SECONDS;
  private readonly counts = { total: 0, inTime: 0, failed: 0 };

  constructor(private readonly options: WorkerPlantOptions) {
    this.random = randomNumbers(options.seed);
    this.fleet = new Fleet(options.workload, options.figures, (pod, now) => Math.max(now, ...this.slotsOf(pod, now)));
  }

  advance(now: number): void {
    this.arrive(now);
    const pods = this.fleet.serving(now);
    while (this.head < this.line.length) {
      const next = this.nextSlot(pods, now);
      if (!next) break;
      const { pod, slot, freeAt } = next;
      const made = this.line[this.head]!;
      const begins = Math.max(freeAt, made, now);
      if (begins >= now + 1) break;
      this.head += 1;
      const ends = pod.processor.serve(begins, this.options.figures.job_cpu_seconds) + this.drawWait();
      this.slotsOf(pod, now)[slot] = ends;
      this.serviceSeconds += NEWEST * (ends - begins - this.serviceSeconds);
      this.began(begins - made);
    }
    this.line = this.line.slice(this.head);
    this.head = 0;
  }

  /** The other classes of the group are empty. */
  series(now: number): Series[] {
    const workers = this.fleet.serving(now).length;
    return [...this.options.slots].flatMap(([jobClass, slotsOfOne]) => {
      const isOurs = jobClass === this.options.jobClass;
      const [waiting, active] = isOurs ? [this.waiting(now), this.active(now)] : [0, 0];
      const serviceSeconds = isOurs ? this.serviceSeconds : UNKNOWN_SERVICE_SECONDS;
      const slots = workers * slotsOfOne;
      const figures: Record<string, number> = {
        stockyard_queue_oldest_seconds: isOurs ? this.oldest(now) : 0,
        stockyard_queue_workers: workers,
        stockyard_queue_slots: slots,
        stockyard_queue_service_seconds: serviceSeconds,
        stockyard_queue_backlog_seconds: (waiting * serviceSeconds) / Math.max(slots, 1),
      };
      return METRICS_PODS.flatMap((pod) => {
        const labels = { namespace: NAMESPACE, pod, instance: pod, job_class: jobClass };
        return [
          ...Object.entries(figures).map(([metric, value]) => ({ metric, labels, value })),
          ...Object.entries({ waiting, active, delayed: 0, failed: 0 }).map(([state, value]) => {
            return { metric: 'stockyard_queue_jobs', labels: { ...labels, state }, value };
          }),
        ];
      });
    });
  }

  row(now: number): PlantRow {
    const p95Seconds = this.waits.quantile(0.95);
    this.waits = new Latencies();
    return { p95Seconds, backlog: this.waiting(now), oldestSeconds: this.oldest(now) };
  }

  /** Jobs that still wait at the end are late if they are already. */
  outcome(): Outcome {
    return { ...this.counts };
  }

  private arrive(now: number): void {
    const made: number[] = Array.from({ length: this.options.atOnce(now) }, () => now);
    const rate = this.options.rate(now);
    for (let at = now; rate > 0;) {
      at += exponential(this.random, 1 / rate);
      if (at >= now + 1) break;
      made.push(at);
    }
    this.line.push(...made);
    this.counts.total += made.length;
  }

  private began(waited: number): void {
    this.waits.add(waited);
    if (waited <= this.options.objectiveSeconds) this.counts.inTime += 1;
  }

  /** The slot that is free first. */
  private nextSlot(pods: readonly Pod[], now: number) {
    let first: { pod: Pod; slot: number; freeAt: number } | undefined;
    for (const pod of pods)
      for (const [slot, freeAt] of this.slotsOf(pod, now).entries())
        if (!first || freeAt < first.freeAt) first = { pod, slot, freeAt };
    return first;
  }

  private slotsOf(pod: Pod, now: number): number[] {
    const count = this.options.slots.get(this.options.jobClass)!;
    const slots = this.freeAt.get(pod) ?? Array.from({ length: count }, () => now);
    this.freeAt.set(pod, slots);
    return slots;
  }

  /** Evenly from half of it to half as much again. */
  private drawWait(): number {
    return this.options.waitSeconds * (0.5 + this.random());
  }

  private waiting(now: number): number {
    return this.line.filter((made) => made <= now).length;
  }

  private active(now: number): number {
    return this.fleet
      .pods(now)
      .flatMap((pod) => this.freeAt.get(pod) ?? [])
      .filter((freeAt) => freeAt > now).length;
  }

  private oldest(now: number): number {
    return this.line.length === 0 ? 0 : Math.max(0, now - this.line[0]!);
  }
}
