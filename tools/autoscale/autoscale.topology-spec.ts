/**
 * What the chart's own values do with each load: rendered by helm, played with the figures that were measured. And what becomes of
 * it when a value is changed, so that none of this would pass whatever stood in the chart.
 */
import { join } from 'node:path';
import { readChart } from './chart/read-chart';
import { readFigures } from './figures/figures';
import { readObjectives } from './objectives';
import { renderChart } from './render';
import { simulate } from './simulate';
import { TRACES } from './traces/traces';
import { judge, type Verdict } from './verdict';

const ROOT = process.cwd();
const FIGURES = readFigures();
const OBJECTIVES = readObjectives(join(ROOT, 'deploy/prometheus/rules/platform-alerts.yml'));

const render = (...set: readonly string[]): string => renderChart({ root: ROOT, set });

function play(name: string, rendered: string): Verdict {
  const trace = TRACES.find((one) => one.name === name)!;
  const run = simulate(trace, { chart: readChart(rendered), figures: FIGURES, objectives: OBJECTIVES });
  return judge(run, OBJECTIVES, 1);
}

const DEFAULTS = render();

describe("the chart's default values", () => {
  it.each(TRACES.map(({ name }) => name))('keep the objectives on the trace %s, without an oscillation', (name) => {
    const { misses, oscillates, mostReplicas } = play(name, DEFAULTS);
    expect({ misses, oscillates }).toEqual({ misses: [], oscillates: false });
    expect(mostReplicas).toBeGreaterThan(name === 'queue' ? 2 : 3); // it was needed
  });
});

describe('other values', () => {
  const few = render('api.autoscaling.maxReplicas=4', 'worker.groups.fast.autoscaling.maxReplicas=2');

  it.each(['ramp', 'day'])('miss them on the trace %s with four pods at most', (name) => {
    expect(play(name, few)).toMatchObject({ keepsSlo: false, mostReplicas: 4 });
  });

  it('miss that of the queue with no more workers than at rest', () => {
    expect(play('queue', few).misses).toEqual([expect.stringContaining('StockyardBacklogOld')]);
  });

  it('miss that of the queue where workers are scaled by their processor alone, which asks for none', () => {
    const cpuAlone = withoutQueries(DEFAULTS);
    expect(play('queue', cpuAlone)).toMatchObject({ keepsSlo: false, mostReplicas: 2 });
  });
});

/** The ScaledObjects with their triggers on processor time alone. */
function withoutQueries(text: string): string {
  const changed = text.replace(/^ {4}- type: prometheus\n(?: {6}.*\n)+/gm, '');
  expect(changed).not.toBe(text);
  expect(changed).toMatch(/^ {4}- type: cpu$/m);
  return changed;
}
