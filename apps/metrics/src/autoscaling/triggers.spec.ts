import type { ProcessSignals } from '#libs/observability';
import { autoscaling, type Scaled, type TriggerName } from './triggers';

const QUIET = { requests_per_second: 10, p95_ms: 20, cpu_ratio: 0.1, memory_ratio: 0.1 };
const api = (signals: Partial<ProcessSignals> = {}): ProcessSignals => ({ process: 'api', ...QUIET, ...signals });
const worker = (signals: Partial<ProcessSignals> = {}): ProcessSignals => ({ process: 'worker', ...QUIET, ...signals });

function seen(signals: readonly ProcessSignals[] | null, waiting: number | null = 0) {
  const { triggers, decisions } = autoscaling(signals, waiting);
  return {
    trigger: (name: TriggerName, process: Scaled = 'api') =>
      triggers.find((one) => one.trigger === name && one.process === process),
    decision: (process: Scaled = 'api') => decisions.find((one) => one.process === process),
    firing: triggers.filter(({ fires }) => fires).map(({ trigger, process }) => `${process} ${trigger}`),
  };
}

describe('the triggers of autoscaling', () => {
  it.each([
    ['cpu', { cpu_ratio: 0.7 }, { cpu_ratio: 0.71 }],
    ['memory', { memory_ratio: 0.8 }, { memory_ratio: 0.81 }],
    ['requests', { requests_per_second: 1_000 }, { requests_per_second: 1_001 }],
    ['p95', { p95_ms: 500 }, { p95_ms: 501 }],
  ] as const)('fire for %s above its threshold and not at it', (name, at, above) => {
    expect(seen([api(at)]).firing).toEqual([]);
    expect(seen([api(above)]).firing).toEqual([`api ${name}`]);
  });

  it('fire for the depth of the queues above 1,000', () => {
    expect(seen([worker()], 1_000).firing).toEqual([]);
    expect(seen([worker()], 1_001).firing).toEqual(['worker queue_depth']);
  });

  it('judge by the mean of the processes, and by p95 as the requests met it', () => {
    const busy = seen([api({ cpu_ratio: 0.9, p95_ms: 900, requests_per_second: 1 }), api({ cpu_ratio: 0.3, p95_ms: 100, requests_per_second: 99 })]); // prettier-ignore
    expect(busy.trigger('cpu')?.value).toBeCloseTo(0.6);
    expect(busy.trigger('p95')?.value).toBeCloseTo(0.108);
  });

  it('ask for as many as bring the value to the threshold, by the one that asks for most', () => {
    const two = [api({ requests_per_second: 1_400, cpu_ratio: 0.8 }), api({ requests_per_second: 1_600, cpu_ratio: 0.8 })]; // prettier-ignore
    expect(seen(two).trigger('cpu')?.wanted).toBe(3);
    expect(seen(two).trigger('requests')?.wanted).toBe(3);
    expect(seen(two).decision()).toEqual({ process: 'api', processes: 2, wanted: 3, action: 'add' });
    expect(seen([worker(), worker()], 1_700).decision('worker')).toMatchObject({ wanted: 4, action: 'add' });
  });

  it('leave things alone within a tenth of the threshold', () => {
    expect(seen([api({ cpu_ratio: 0.76 })]).decision()).toMatchObject({ wanted: 1, action: 'keep' });
  });

  it('take away what is not needed, down to one', () => {
    const five = Array.from({ length: 5 }, () => api());
    expect(seen(five).decision()).toEqual({ process: 'api', processes: 5, wanted: 1, action: 'remove' });
    expect(seen([api()]).decision()).toMatchObject({ wanted: 1, action: 'keep' });
  });

  it('at most double at once, or add four', () => {
    expect(seen([worker()], 1_000_000).decision('worker')?.wanted).toBe(5);
    expect(
      seen(
        Array.from({ length: 6 }, () => worker()),
        1_000_000,
      ).decision('worker')?.wanted,
    ).toBe(12);
  });

  it('start a worker where there is none and work waits', () => {
    expect(seen([api()], 3).decision('worker')).toEqual({ process: 'worker', processes: 0, wanted: 1, action: 'add' });
    expect(seen([api()], 0).decision('worker')).toMatchObject({ wanted: 0, action: 'keep' });
  });

  it('do nothing about what they do not know', () => {
    const deaf = seen(null, 5_000);
    expect(deaf.decision()).toEqual({ process: 'api', processes: null, wanted: null, action: 'unknown' });
    expect(deaf.decision('worker')).toMatchObject({ processes: null, wanted: null, action: 'unknown' });
    expect(deaf.trigger('queue_depth', 'worker')).toMatchObject({ value: 5_000, fires: true, wanted: null });
    const blind = seen([worker({ cpu_ratio: 1.4 })], null);
    expect(blind.trigger('queue_depth', 'worker')).toMatchObject({ value: null, fires: false, wanted: null });
    expect(blind.decision('worker')).toMatchObject({ wanted: 2, action: 'add' });
  });
});
