/** Cases from "ScaledObject specification" and "Scaling Deployments" of keda.sh. */
import { observation, pods } from '../test/pods';
import { QueryOutage, ScaledObject } from './scaled-object';
import type { ScaledObjectSpec } from './spec';

const SPEC: ScaledObjectSpec = {
  minReplicaCount: 0,
  maxReplicaCount: 10,
  idleReplicaCount: undefined,
  pollingIntervalSeconds: 30,
  cooldownSeconds: 300,
  initialCooldownSeconds: 0,
  triggers: [
    {
      name: 's0-prometheus',
      query: 'q',
      resource: undefined,
      metricType: 'AverageValue',
      threshold: 5,
      activationThreshold: 2,
      ignoreNullValues: false,
    },
  ],
  fallback: undefined,
  behavior: undefined,
};

/** `answer`: of Prometheus; null while it is out. */
class Driver {
  private readonly scaledObject: ScaledObject;

  constructor(
    spec: Partial<ScaledObjectSpec>,
    public replicas: number,
  ) {
    this.scaledObject = new ScaledObject({ ...SPEC, ...spec }, 0);
  }

  private see(answer: number | undefined | null) {
    const query = () => {
      if (answer === null) throw new QueryOutage('503');
      return answer;
    };
    return { ...observation({ pods: pods(this.replicas) }), query };
  }

  private get scale() {
    return { specReplicas: this.replicas, statusReplicas: this.replicas };
  }

  poll(now: number, answer: number | undefined | null): number {
    return (this.replicas = this.scaledObject.poll(now, this.scale, this.see(answer)));
  }

  sync(now: number, answer: number | undefined | null): number {
    return (this.replicas = this.scaledObject.reconcile(now, this.scale, this.see(answer)).replicas);
  }
}

describe('from nothing to something and back', () => {
  it('starts one above the activation threshold, not at it, however much waits', () => {
    const driver = new Driver({}, 0);
    expect(driver.poll(30, 2)).toBe(0);
    expect(driver.sync(31, 100)).toBe(0); // the autoscaler leaves what is at zero alone
    expect(driver.poll(60, 100)).toBe(1);
    expect(driver.sync(61, 100)).toBe(4); // and has the rest to itself
  });

  it('ends all when no trigger was active for longer than the cooldown', () => {
    const driver = new Driver({}, 3);
    driver.poll(1_000, 3);
    expect(driver.poll(1_300, 0)).toBe(3);
    expect(driver.poll(1_301, 0)).toBe(0);
  });

  it('ends all at once where none ever was, after the initial cooldown', () => {
    expect(new Driver({}, 3).poll(30, 0)).toBe(0);
    const driver = new Driver({ initialCooldownSeconds: 120 }, 3);
    expect(driver.poll(120, 0)).toBe(3);
    expect(driver.poll(121, 0)).toBe(0);
  });

  it('keeps the minimum, which the activation threshold and the cooldown say nothing of', () => {
    const driver = new Driver({ minReplicaCount: 2 }, 2);
    expect(driver.poll(1_000, 0)).toBe(2);
    expect(driver.sync(1_001, 0)).toBe(2);
    expect(new Driver({ minReplicaCount: 2 }, 1).poll(1_000, 0)).toBe(2);
  });

  it('goes between idle and the minimum where there is an idle number', () => {
    const driver = new Driver({ minReplicaCount: 4, idleReplicaCount: 0 }, 0);
    expect(driver.poll(30, 3)).toBe(4);
    expect(driver.poll(330, 0)).toBe(4);
    expect(driver.poll(360, 0)).toBe(0);
  });
});

describe('above it', () => {
  it('has as many as the threshold goes into the value', () => {
    const driver = new Driver({ minReplicaCount: 1 }, 2);
    expect(driver.sync(15, 21)).toBe(4);
    expect(driver.sync(30, 500)).toBe(8); // the autoscaler of an object without behavior at most doubles
    expect(driver.sync(45, 500)).toBe(10);
  });

  it('takes no series as nothing only where it is told to', () => {
    const [trigger] = SPEC.triggers;
    expect(new Driver({}, 3).poll(30, undefined)).toBe(3);
    expect(new Driver({ triggers: [{ ...trigger!, ignoreNullValues: true }] }, 3).poll(30, undefined)).toBe(0);
  });
});

describe('while Prometheus does not answer', () => {
  const fallback = { failureThreshold: 3, replicas: 6, behavior: 'static' } as const;

  it('keeps what there is, and after more failures than the threshold asks for the fallback', () => {
    const driver = new Driver({ minReplicaCount: 1, fallback }, 4);
    expect([15, 30, 45].map((now) => driver.sync(now, null))).toEqual([4, 4, 4]);
    expect(driver.sync(60, null)).toBe(6);
    expect(driver.sync(75, 6 * 5)).toBe(6);
    expect(driver.sync(90, null)).toBe(6); // they are counted from the beginning
  });

  it.each([
    ['currentReplicas', 4, 4],
    ['currentReplicasIfHigher', 8, 8],
    ['currentReplicasIfHigher', 4, 6],
    ['currentReplicasIfLower', 4, 4],
  ] as const)('with %s and %d there are %d', (behavior, there, then) => {
    const driver = new Driver({ minReplicaCount: 1, fallback: { ...fallback, behavior } }, there);
    for (const now of [15, 30, 45, 60]) driver.sync(now, null);
    expect(driver.replicas).toBe(then);
  });

  it('does so for a metric that is compared as it is, too', () => {
    const [trigger] = SPEC.triggers;
    const driver = new Driver({ minReplicaCount: 1, fallback, triggers: [{ ...trigger!, metricType: 'Value' }] }, 4);
    for (const now of [15, 30, 45, 60]) driver.sync(now, null);
    expect(driver.replicas).toBe(6);
  });

  it('ends nothing, with a fallback or without one', () => {
    expect(new Driver({}, 3).poll(1_000, null)).toBe(3);
    expect(new Driver({ fallback }, 3).poll(1_000, null)).toBe(3);
  });
});
