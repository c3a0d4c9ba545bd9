/** The whole of it over a small chart and round figures: what is put in has to come out. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readChart } from './chart/read-chart';
import { exampleCostModel, podPrice } from './cost';
import type { Figures } from './figures/figures';
import { readObjectives } from './objectives';
import { picture } from './report/picture';
import { table, verdictLines } from './report/table';
import { type Row, simulate } from './simulate';
import type { JobTrace, RequestTrace } from './traces/trace';
import { judge } from './verdict';

const ROOT = join(__dirname, '../..');
const CHART = readFileSync(join(__dirname, 'test/chart.yaml'), 'utf8');
const OBJECTIVES = readObjectives(join(ROOT, 'deploy/prometheus/rules/platform-alerts.yml'));
const MIB = 2 ** 20;
const PROCESS = { start_seconds: 2, start_cpu_seconds: 3, idle_bytes: 150 * MIB, busy_bytes: 250 * MIB };

/** 10 ms of a processor and 20 ms of the database for each request: few of them make a load. */
const FIGURES: Figures = {
  origin: {},
  api: {
    ...PROCESS,
    requests: [{ kind: 'read', share: 1, cpu_seconds: 0.01, wait_seconds: [0.02, 0.02] }],
    refusal_cpu_seconds: 0.004,
  },
  worker: { ...PROCESS, job: 'j', job_class: 'normal', job_cpu_seconds: 0.005, job_seconds: [0.01, 0.01] },
};

const minutes = (count: number): number => count * 60;

function requests(rate: (at: number) => number, changes: Partial<RequestTrace> = {}): RequestTrace {
  return { of: 'requests', name: 'test', about: 'A test.', seconds: minutes(20), stride: 2, rate, ...changes };
}

const JOBS: JobTrace = {
  ...{ of: 'jobs', name: 'jobs', about: 'Jobs.', seconds: minutes(40), stride: 1, busyUtilization: 0.27 },
  rate: (at) => (at >= 300 ? 40 : 4),
  atOnce: (at) => (at === 300 ? 5_000 : 0),
};

/** `changes`: of the chart's text, each of which has to hit. */
function play(trace: RequestTrace | JobTrace, ...changes: readonly (readonly [string, string])[]) {
  const text = changes.reduce((before, [from, to]) => {
    if (!before.includes(from)) throw new Error(`The chart has no ${from}.`);
    return before.replace(from, to);
  }, CHART);
  const chart = readChart(text);
  const run = simulate(trace, { chart, figures: FIGURES, objectives: OBJECTIVES });
  return {
    run,
    verdict: judge(run, OBJECTIVES, 1),
    at: (minute: number): Row => run.rows.find(({ at }) => at === minutes(minute))!,
  };
}

describe('a steady load', () => {
  // 45/s × 10 ms = 0.45 cores; each of 3 pods 60 % of the 0.25 that it asks for.
  const { at, verdict, run } = play(requests(() => 45));

  it('uses of the pods what it costs, and changes nothing', () => {
    expect(at(10).cpuUtilization).toBeCloseTo(0.6, 1);
    expect(run.rows.every(({ replicas, serving }) => replicas === 3 && serving === 3)).toBe(true);
    expect(verdict).toMatchObject({ keepsSlo: true, swings: 0, mostReplicas: 3 });
    expect(verdict.podHours).toBeCloseTo(1, 5);
  });

  it('is answered in the time of processor and database while there is little of it', () => {
    const { run: calm } = play(requests(() => 5));
    expect(calm.rows.at(-1)!.p95Seconds).toBeGreaterThanOrEqual(0.03);
    expect(calm.rows.at(-1)!.p95Seconds).toBeLessThan(0.045);
  });

  it('comes out the same when only a fifth of it is looked at', () => {
    const rate = (at: number): number => 45 + at / 20;
    const [all, some] = [play(requests(rate, { stride: 1 })), play(requests(rate, { stride: 5 }))];
    expect(some.run.outcome.total / all.run.outcome.total).toBeCloseTo(1, 1);
    expect(some.verdict.podHours / all.verdict.podHours).toBeCloseTo(1, 1);
    expect(some.verdict.inTime).toBeCloseTo(all.verdict.inTime, 2);
    expect(Math.abs(some.verdict.mostReplicas - all.verdict.mostReplicas)).toBeLessThanOrEqual(1);
  });
});

describe('a load that rises', () => {
  const step = requests((at) => (at < 300 ? 45 : 150), { seconds: minutes(30) });
  // 150/s × 10 ms = 1.5 cores, of which a pod may use 0.175: ceil(8.57).
  const { at, verdict } = play(step);

  it('gets as many pods as bring it to its target', () => expect(at(29).replicas).toBe(9));

  it('gets them no faster than the policies let it', () => {
    expect([4.5, 5.5, 6.5].map((minute) => at(minute).replicas)).toEqual([3, 5, 8]);
  });

  it('has pods that serve only after they have started', () => {
    // 3 s until the container runs, 3 s of a processor at half of one, probes every 2 and 5 s.
    expect(at(5.5).replicas).toBe(5);
    expect(at(5.5).serving).toBe(3);
    expect(at(6).serving).toBe(5);
  });

  it('is refused in part while there are too few', () => {
    expect(verdict.inTime).toBeGreaterThan(0.9);
    const few = play(
      requests(() => 300, { seconds: minutes(5) }),
      ['maxReplicas: 20', 'maxReplicas: 3'],
    );
    expect(few.verdict.misses).toHaveLength(2);
    expect(few.verdict.failed).toBeGreaterThan(0.4); // they have 1.5 cores, and 300/s take 3
    expect(few.verdict.failed).toBeLessThan(0.9); // each that is refused takes of it, too
    expect(few.at(5).p95Seconds).toBeGreaterThan(0.5);
  });

  it('leaves them again, a tenth a minute, five minutes after it has gone', () => {
    const { at: then } = play(requests((at) => (at < 600 ? 150 : 15), { seconds: minutes(40) }));
    expect(then(14).replicas).toBeGreaterThanOrEqual(8);
    expect(then(18).replicas).toBeLessThan(8);
    expect(then(39).replicas).toBe(3);
  });
});

describe('memory', () => {
  it('above its target adds pods that do not help, up to the maximum', () => {
    const { at } = play(
      requests(() => 300),
      ['averageValue: 409Mi', 'averageValue: 120Mi'],
    );
    expect(at(19).replicas).toBe(20);
  });
});

describe('jobs that mostly wait', () => {
  it('are done by more workers as KEDA asks for them by what waits', () => {
    const { verdict, at } = play(JOBS);
    expect(verdict.keepsSlo).toBe(true);
    expect(at(6).replicas).toBeGreaterThan(2);
    expect(at(39).backlog).toBeLessThan(100);
  });

  it('keep a worker as busy as the trace says, which processor time alone never scales', () => {
    const cpu = CHART.slice(CHART.indexOf('    - type: prometheus'), CHART.indexOf('    - type: cpu'));
    const { verdict, at } = play(JOBS, [cpu, '']);
    expect(at(20).cpuUtilization).toBeCloseTo(0.27, 1);
    expect(at(20).replicas).toBe(2);
    expect(verdict.misses).toEqual([expect.stringContaining('StockyardBacklogOld')]);
  });
});

describe('what is told of a run', () => {
  const { run, verdict } = play(requests(() => 45));

  it('is a table of it and a verdict', () => {
    const [head, first, ...rest] = table(run, { everySeconds: 300, price: 2 }).split('\n');
    expect(head!.split(/ {2,}/).map((cell) => cell.trim())).toEqual(['time', 'requests/s', 'pods', 'ready', 'cpu', 'p95', 'backlog', 'cost', 'asked by']); // prettier-ignore
    expect(first).toMatch(/^00:00 +45 +3 +3 +\d+ % +[\d.]+ ms/);
    expect(rest).toHaveLength(4);
    expect(verdictLines(run, verdict, 'EUR')).toMatch(/SLO kept\.\n.*\n.*3 pods, 1\.0 pod-hours, 1\.00 EUR/);
  });

  it('is a picture', () => {
    const svg = picture(run, verdict, OBJECTIVES);
    expect(svg).toMatch(/^<svg [^>]*xmlns/);
    expect(svg).not.toContain('NaN');
    for (const title of ['Requests a second', 'Pods', 'p95 of 15 seconds', 'objective']) expect(svg).toContain(title);
  });
});

describe('the price of a pod', () => {
  it('is the bill for compute, shared by the pods that are always there', () => {
    const { currency, perHour } = podPrice(exampleCostModel(join(ROOT, 'docs/costs.md')), readChart(CHART));
    expect(currency).toBe('EUR');
    expect(perHour).toBeCloseTo(400 / 730 / 5, 9);
    expect(podPrice('{"currency":"USD","compute":{"unit_price":0.5,"capacity":1460}}', readChart(CHART)).perHour).toBeCloseTo(0.2, 9); // prettier-ignore
  });
});

describe('the objectives', () => {
  it('are those of the platform and of its alert', () => {
    expect(OBJECTIVES).toMatchObject({ availability: 0.9999, inTime: 0.95, latencySeconds: 0.5 });
    expect(OBJECTIVES).toMatchObject({ jobWaitSeconds: 300, jobAlertSeconds: 300 });
    expect(OBJECTIVES.defaults.ADMISSION_WAIT_MS).toBe('1000');
  });
});
