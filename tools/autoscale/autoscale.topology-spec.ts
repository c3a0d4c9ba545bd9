/**
 * What the chart's own values do with each load, by the built tool: rendered by helm, played with the figures that were measured. And
 * what becomes of it when a value is changed, so that none of this would pass whatever stood in the chart.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderChart } from './render';
import type { Verdict } from './verdict';

interface Played {
  readonly status: number | null;
  of(trace: string): Verdict;
}

/** Throws what the tool said where it played nothing. */
function play(traces: readonly string[], ...options: readonly string[]): Played {
  const args = ['dist/tools/autoscale/main.js', ...traces, '--json', ...options];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 64 * 2 ** 20 });
  const lines = stdout.split('\n').filter((line) => line !== '');
  if (lines.length !== traces.length) throw new Error(stderr);
  const verdicts = new Map(
    lines.map((line) => JSON.parse(line) as Verdict & { trace: string }).map((one) => [one.trace, one]),
  );
  return { status, of: (trace) => verdicts.get(trace)! };
}

const TRACES = ['step', 'ramp', 'spike', 'day', 'queue'];
const set = (...values: readonly string[]): string[] => values.flatMap((value) => ['--set', value]);

describe("the chart's default values", () => {
  const played = play(TRACES);

  it.each(TRACES)('keep the objectives on the trace %s, without an oscillation', (trace) => {
    const { misses, oscillates, mostReplicas } = played.of(trace);
    expect({ misses, oscillates }).toEqual({ misses: [], oscillates: false });
    expect(mostReplicas).toBeGreaterThan(trace === 'queue' ? 2 : 3); // it was needed
  });

  it('are told to be good by the status of the tool', () => expect(played.status).toBe(0));

  it('keep that of the queue with an autoscaler on external metrics instead of KEDA', () => {
    const verdict = play(['queue'], ...set('worker.autoscaler=hpa')).of('queue');
    expect(verdict).toMatchObject({ misses: [], oscillates: false });
    expect(verdict.mostReplicas).toBeGreaterThan(2);
  });
});

describe('other values', () => {
  it('miss the objectives with four pods of the api and two workers at most', () => {
    const values = ['api.autoscaling.maxReplicas=4', 'worker.groups.fast.autoscaling.maxReplicas=2'];
    const few = play(['ramp', 'queue'], ...set(...values));
    expect(few.status).toBe(1);
    expect(few.of('ramp')).toMatchObject({ keepsSlo: false, mostReplicas: 4 });
    expect(few.of('queue').misses).toEqual([expect.stringContaining('StockyardBacklogOld')]);
  });

  it('keep them when four times as much comes at once, which the default values do not', () => {
    expect(play(['surge']).of('surge').keepsSlo).toBe(false);
    expect(play(['surge'], ...set('api.autoscaling.cpuPercentOfRequest=40')).of('surge').misses).toEqual([]);
  });

  it('miss that of the queue where workers are scaled by their processor alone, which asks for none', () => {
    const alone = changed(/^ {4}- type: prometheus\n(?: {6}.*\n)+/gm, '');
    expect(alone).toMatch(/^ {4}- type: cpu$/m);
    expect(playRendered('queue', alone)).toMatchObject({ keepsSlo: false, mostReplicas: 2 });
  });

  it('oscillate where workers are scaled by a backlog that is divided by their number already', () => {
    const twice = changed(
      /^( {8}query: ).*active.*job_class=\\"normal\\".*\n((?: {8}#.*\n)*) {8}threshold: .*$/gm,
      '$1max(stockyard_queue_backlog_seconds{job_class="normal"})\n$2        threshold: "30"',
    );
    expect(playRendered('queue', twice)).toMatchObject({ oscillates: true });
  });
});

/** The chart as it is rendered, but for this. */
function changed(what: RegExp, into: string): string {
  const text = renderChart({ root: process.cwd() });
  const after = text.replace(what, into);
  expect(after).not.toBe(text);
  return after;
}

function playRendered(trace: string, text: string): Verdict {
  const directory = mkdtempSync(join(tmpdir(), 'stockyard-autoscale-'));
  try {
    const file = join(directory, 'rendered.yaml');
    writeFileSync(file, text);
    return play([trace], '--rendered', file).of(trace);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
