/**
 * How fast it may go (kubernetes.io, "Horizontal Pod Autoscaling", configurable scaling behavior): stabilization takes the most
 * cautious wish of a window, policies bound the change of a period.
 */
import type { Behavior, ScalingPolicy, ScalingRules } from './spec';

/** A wish of the past, or a change that was made: pods more (or fewer, as a positive number). */
interface Dated {
  readonly at: number;
  readonly count: number;
}

export interface Change {
  readonly now: number;
  readonly current: number;
  readonly wish: number;
}

/** Remembers wishes and changes as long as they matter. */
export class ScalingHistory {
  private wishes: Dated[];
  private ups: Dated[] = [];
  private downs: Dated[] = [];

  /** `replicas`: where the controller begins to watch. */
  constructor(startedAt: number, replicas: number) {
    this.wishes = [{ at: startedAt, count: replicas }];
  }

  /** Up at most to the lowest wish of the window for going up, down at most to the highest of that for going down. */
  stabilize({ now, current, wish }: Change, { upSeconds, downSeconds }: { upSeconds: number; downSeconds: number }) {
    const [upSince, downSince] = [now - upSeconds, now - downSeconds];
    let [lowest, highest] = [wish, wish];
    for (const { at, count } of this.wishes) {
      if (at > upSince) lowest = Math.min(lowest, count);
      if (at > downSince) highest = Math.max(highest, count);
    }
    this.wishes = [...this.wishes.filter(({ at }) => at >= Math.min(upSince, downSince)), { at: now, count: wish }];
    return Math.min(Math.max(current, lowest), highest);
  }

  /** Without `behavior`: the highest wish of the window, whatever there is now. */
  highest({ now, wish }: Omit<Change, 'current'>, seconds: number): number {
    this.wishes = [...this.wishes.filter(({ at }) => at >= now - seconds), { at: now, count: wish }];
    return Math.max(...this.wishes.map(({ count }) => count));
  }

  /** `wish`, as far as the policies let it. */
  limit(change: Change, { scaleUp, scaleDown }: Behavior): number {
    const { now, current, wish } = change;
    if (wish > current) return Math.min(wish, Math.max(current, this.upLimit(now, current, scaleUp)));
    if (wish < current) return Math.max(wish, Math.min(current, this.downLimit(now, current, scaleDown)));
    return wish;
  }

  changed(now: number, from: number, to: number): void {
    if (to > from) this.ups.push({ at: now, count: to - from });
    if (to < from) this.downs.push({ at: now, count: from - to });
    this.ups = this.ups.filter(({ at }) => at > now - LONGEST_PERIOD_SECONDS);
    this.downs = this.downs.filter(({ at }) => at > now - LONGEST_PERIOD_SECONDS);
  }

  private upLimit(now: number, current: number, { selectPolicy, policies }: ScalingRules): number {
    if (selectPolicy === 'Disabled') return current;
    const limits = policies.map((policy) => {
      const began = this.atPeriodStart(now, current, policy);
      // Rounded up, or a small number would never grow by a percentage.
      return policy.type === 'Pods' ? began + policy.value : Math.ceil(began * (1 + policy.value / 100) - ROUNDING);
    });
    return selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits);
  }

  private downLimit(now: number, current: number, { selectPolicy, policies }: ScalingRules): number {
    if (selectPolicy === 'Disabled') return current;
    const limits = policies.map((policy) => {
      const began = this.atPeriodStart(now, current, policy);
      return policy.type === 'Pods' ? began - policy.value : Math.trunc(began * (1 - policy.value / 100) + ROUNDING);
    });
    return selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits);
  }

  private atPeriodStart(now: number, current: number, { periodSeconds }: ScalingPolicy): number {
    const since = (changes: readonly Dated[]): number =>
      changes.reduce((sum, { at, count }) => (at > now - periodSeconds ? sum + count : sum), 0);
    return current - since(this.ups) + since(this.downs);
  }
}

/** The longest that the API allows. */
const LONGEST_PERIOD_SECONDS = 1_800;
const ROUNDING = 1e-9;
