import type { Objectives } from './objectives';
import type { Row, Run } from './simulate';
import { judge, swings } from './verdict';

const OBJECTIVES: Objectives = {
  ...{ availability: 0.9999, inTime: 0.95, latencySeconds: 0.5, jobWaitSeconds: 300, jobAlertSeconds: 300 },
  defaults: {},
};

const row = (at: number, changes: Partial<Row> = {}): Row => ({
  ...{ at, load: 100, replicas: 3, serving: 3, p95Seconds: 0.1, backlog: 0, oldestSeconds: 0 },
  ...{ cpuUtilization: 0.5, podHours: at / 1_200, by: 'cpu' },
  ...changes,
});

function run(
  of: 'requests' | 'jobs',
  rows: readonly Row[],
  outcome = { total: 100_000, inTime: 100_000, failed: 0 },
): Run {
  const trace = { name: 't', about: '', seconds: rows.at(-1)!.at, stride: 1, rate: () => 100 };
  return {
    trace: of === 'requests' ? { of, ...trace } : { of, ...trace, atOnce: () => 0, busyUtilization: 0.27 },
    ...{ workload: 'w', minReplicas: 3, maxReplicas: 20, rows, outcome },
  };
}

const every15 = (count: number, of: (at: number) => Partial<Row>): Row[] =>
  Array.from({ length: count }, (_, index) => row(index * 15, of(index * 15)));

describe('a verdict', () => {
  it('keeps the objective up to its budget, and not beyond', () => {
    const rows = every15(3, () => ({}));
    const of = (inTime: number, failed: number) =>
      judge(run('requests', rows, { total: 100_000, inTime, failed }), OBJECTIVES, 1);
    expect(of(95_000, 10)).toMatchObject({ keepsSlo: true, misses: [] });
    expect(of(94_999, 10).misses).toEqual([expect.stringContaining('within 500 ms')]);
    expect(of(95_000, 11).misses).toEqual([expect.stringContaining('refused')]);
  });

  it('tells how long p95 was above the objective, and what it cost', () => {
    const rows = every15(5, (at) => ({ p95Seconds: at === 15 || at === 30 ? 0.6 : 0.1 }));
    expect(judge(run('requests', rows), OBJECTIVES, 2)).toMatchObject({ lateSeconds: 30, podHours: 0.05, cost: 0.1 });
  });

  it('misses that of jobs when the alert would fire: too old, for long enough, without a break', () => {
    const late = (until: number, but = -1) =>
      judge(
        run(
          'jobs',
          every15(60, (at) => ({ oldestSeconds: at < until && at !== but ? 301 : 300 })),
        ),
        OBJECTIVES,
        1,
      );
    expect(late(300)).toMatchObject({ keepsSlo: true, lateSeconds: 300 });
    expect(late(330)).toMatchObject({ keepsSlo: false, misses: [expect.stringContaining('StockyardBacklogOld')] });
    expect(late(480, 240).keepsSlo).toBe(true);
  });
});

describe('an oscillation', () => {
  const of = (counts: readonly number[], loads: readonly number[] = []) =>
    judge(run('requests', counts.map((replicas, index) => row(index * 60, { replicas, load: loads[index] ?? 100 }))), OBJECTIVES, 1); // prettier-ignore

  it('is two turns within half an hour that the load does not explain', () => {
    expect(of([3, 5, 4, 3, 5, 4])).toMatchObject({ swings: 3, oscillates: true });
    expect(of([3, 5, 8, 8, 7, 6, 5])).toMatchObject({ swings: 1, oscillates: false });
  });

  it('is none where the load went up and down', () => {
    expect(of([3, 5, 5, 4, 3, 5], [100, 200, 150, 100, 100, 200])).toMatchObject({ swings: 0, oscillates: false });
  });

  it('is none where turns are far apart', () => {
    const counts = [3, 5, ...new Array<number>(40).fill(5), 4, ...new Array<number>(40).fill(4), 5];
    expect(of(counts)).toMatchObject({ swings: 2, oscillates: false });
  });

  it('is counted where the number turns', () => {
    expect(swings([row(0), row(60, { replicas: 4 }), row(120, { replicas: 3 })])).toEqual([120]);
  });
});
