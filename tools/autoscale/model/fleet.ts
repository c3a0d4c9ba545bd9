/** The pods of one Deployment: added at once, and taken away as a ReplicaSet does it, the ones that are not ready first, then the newest. */
import { Pod } from './pod';
import type { ProcessFigures, Workload } from './workload';

export class Fleet {
  private all: Pod[] = [];
  private readonly since = new Map<Pod, number>();
  private made = 0;
  private wanted = 0;
  /** Of pods that are gone. */
  private pastPodSeconds = 0;

  constructor(
    readonly workload: Workload,
    private readonly figures: ProcessFigures,
    private readonly whenIdle: (pod: Pod, now: number) => number,
  ) {}

  /** `isOld`: they are there as if they always had been. */
  scale(now: number, replicas: number, isOld = false): void {
    this.wanted = replicas;
    const there = this.present(now);
    for (let more = replicas - there.length; more > 0; more -= 1) this.add(now, isOld);
    const leaving = there
      .sort((one, other) => Number(one.isReady(now)) - Number(other.isReady(now)) || other.servesAt - one.servesAt)
      .slice(0, Math.max(0, there.length - replicas));
    for (const pod of leaving) pod.stop(now, this.whenIdle(pod, now));
  }

  get replicas(): number {
    return this.wanted;
  }

  /** All that exist, those that are leaving included. */
  pods(now: number): readonly Pod[] {
    const gone = this.all.filter(({ goneAt }) => goneAt <= now);
    for (const pod of gone) this.pastPodSeconds += pod.goneAt - this.since.get(pod)!;
    if (gone.length > 0) this.all = this.all.filter(({ goneAt }) => goneAt > now);
    return this.all;
  }

  present(now: number): Pod[] {
    return this.pods(now).filter((pod) => !pod.isStopping(now));
  }

  serving(now: number): Pod[] {
    return this.pods(now).filter((pod) => pod.serves(now));
  }

  /** Paid for so far. */
  podSeconds(now: number): number {
    return this.pods(now).reduce((sum, pod) => sum + now - this.since.get(pod)!, this.pastPodSeconds);
  }

  private add(now: number, isOld: boolean): void {
    this.made += 1;
    const pod = new Pod(`${this.workload.name}-${this.made}`, this.workload, this.figures, { createdAt: now, isOld });
    this.all.push(pod);
    this.since.set(pod, now);
  }
}
