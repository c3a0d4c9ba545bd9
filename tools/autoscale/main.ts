/**
 * `npm run simulate`: plays loads against the autoscalers of the chart, or measures what the simulation needs to know. Tables and
 * verdicts go to stdout, everything else to stderr.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readChart } from './chart/read-chart';
import { exampleCostModel, podPrice } from './cost';
import { readFigures } from './figures/figures';
import { measure } from './measure/measure';
import { readObjectives } from './objectives';
import { type AutoscaleOptions, readOptions, type SimulateOptions, USAGE, UsageError } from './options';
import { renderChart } from './render';
import { picture } from './report/picture';
import { table, verdictLines } from './report/table';
import { simulate } from './simulate';
import { hourlyProfile } from './traces/profile';
import { SURGE, TRACES } from './traces/traces';
import { judge } from './verdict';

/** dist/tools/autoscale → the root of the checkout. */
const ROOT = resolve(__dirname, '..', '..', '..');

const ALL = [...TRACES, SURGE];

const out = (text: string): void => void process.stdout.write(`${text}\n`);
const tell = (text: string): void => void process.stderr.write(`${text}\n`);

function run(options: SimulateOptions): number {
  const { values, set, seed, everySeconds } = options;
  const rendered =
    options.rendered === undefined ? renderChart({ root: ROOT, values, set }) : readFileSync(options.rendered, 'utf8');
  const chart = readChart(rendered);
  const figures = readFigures(options.figures);
  const objectives = readObjectives(join(ROOT, 'deploy/prometheus/rules/platform-alerts.yml'));
  const price = podPrice(options.costModel ?? exampleCostModel(join(ROOT, 'docs', 'costs.md')), chart);
  const traces = options.traces.length === 0 ? TRACES : ALL.filter(({ name }) => options.traces.includes(name));
  let missed = 0;
  for (const trace of traces) {
    const played = simulate(trace, { chart, figures, objectives, seed });
    const verdict = judge(played, objectives, price.perHour);
    if (!verdict.keepsSlo) missed += 1;
    if (options.json)
      out(JSON.stringify({ trace: trace.name, ...verdict, currency: price.currency, rows: played.rows }));
    else
      out(
        `${table(played, { everySeconds, price: price.perHour })}\n\n${verdictLines(played, verdict, price.currency)}\n`,
      );
    if (options.pictures !== undefined) {
      mkdirSync(options.pictures, { recursive: true });
      writeFileSync(join(options.pictures, `${trace.name}.svg`), picture(played, verdict, objectives));
    }
  }
  return missed === 0 ? 0 : 1;
}

async function perform(options: AutoscaleOptions): Promise<number> {
  switch (options.command) {
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    case 'measure':
      writeFileSync(options.out, `${JSON.stringify(await measure(options.nodeFlags, tell), null, 2)}\n`);
      return 0;
    case 'profile':
      writeFileSync(options.out, `${JSON.stringify(await hourlyProfile(options.file), null, 2)}\n`);
      return 0;
    case 'run':
      return run(options);
  }
}

const source = join(ROOT, 'tools', 'autoscale');
Promise.resolve()
  .then(() =>
    perform(
      readOptions(process.argv.slice(2), {
        workingDirectory: process.cwd(),
        figuresFile: join(source, 'figures', 'figures.json'),
        profileFile: join(source, 'traces', 'retail-hours.json'),
        traces: ALL.map(({ name }) => name),
      }),
    ),
  )
  .then(
    (status) => {
      process.exitCode = status;
    },
    (error: unknown) => {
      const told = error instanceof Error && !(error instanceof TypeError) ? error.message : String(error);
      tell(`simulate: ${told}`);
      process.exitCode = error instanceof UsageError ? 2 : 1;
    },
  );
