/** What Prometheus makes of the dashboards: promtool reads every expression and evaluates it on series of what it asks for. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONNECTED } from './rows/postgres';
import { DEPLOYS, isPanel } from './dashboard';
import { DASHBOARDS } from './files';
import { concrete } from './test/expression';
import { seriesFor, type InputSeries } from './test/series';

const RULES = join(process.cwd(), 'deploy/prometheus/rules/slo-recording.yml');
const EVAL_TIME = '50m';

const exprs = [...DASHBOARDS.values()].flatMap(({ panels }) =>
  panels.filter(isPanel).flatMap(({ targets }) => targets.map(({ expr }) => expr)),
);

interface Check {
  readonly expr: string;
  readonly eval_time: string;
  readonly exp_samples: readonly { readonly labels: string; readonly value: number }[];
}

describe('the expressions of the dashboards', () => {
  let directory: string;

  beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'stockyard-grafana-'))));
  afterAll(() => rmSync(directory, { recursive: true }));

  function promtool(...options: string[]): string {
    return execFileSync('promtool', options, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** JSON is YAML. Throws with what promtool prints when a check does not hold. */
  function evaluate(input_series: readonly InputSeries[], promql_expr_test: readonly Check[]): void {
    const file = join(directory, 'test.yml');
    const tests = [{ interval: '1m', input_series, promql_expr_test }];
    writeFileSync(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: '1m', tests }));
    promtool('test', 'rules', file);
  }

  it('are understood by Prometheus', () => {
    const file = join(directory, 'rules.yml');
    const rules = [...exprs, DEPLOYS].map((expr, at) => ({ record: `panel:${at}`, expr: concrete(expr) }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    expect(promtool('check', 'rules', file)).toContain(`${rules.length} rules found`);
  });

  it('all answer where there are the series that they ask for', () => {
    const answers = exprs.map((expr) => ({
      expr: `count(${concrete(expr)}) > bool 0`,
      eval_time: EVAL_TIME,
      exp_samples: [{ labels: '{}', value: 1 }],
    }));
    evaluate(seriesFor(exprs), answers);
  });

  it('count once what two metrics processes say', () => {
    const of = (role: string, instance: string, value: number) => ({
      series: `stockyard_postgres_connections{job="stockyard-metrics",instance="${instance}",shard="s",node="n",role="${role}"}`,
      values: `${value}x5`,
    });
    evaluate(
      [of('app', 'a', 30), of('app', 'b', 31), of('other', 'a', 4), of('other', 'b', 4)],
      [{ expr: concrete(CONNECTED), eval_time: '2m', exp_samples: [{ labels: '{shard="s",node="n"}', value: 35 }] }],
    );
  });

  it('mark a deploy while the version is new, however many processes run it', () => {
    const runs = (version: string, instance: string, values: string) => ({
      series: `stockyard_build_info{job="stockyard-api",instance="${instance}",process="api",version="${version}",node="24"}`,
      values,
    });
    const marks = (eval_time: string, ...versions: string[]) => ({
      expr: DEPLOYS,
      eval_time,
      exp_samples: versions.map((version) => ({ labels: `{process="api",version="${version}"}`, value: 1 })),
    });
    evaluate(
      [
        runs('1', 'a', '1x19 stale'),
        runs('1', 'b', '1x21 stale'),
        runs('2', 'a', '_x20 1x30'),
        runs('2', 'b', '_x22 1x30'),
      ],
      [marks('19m'), marks('22m', '2'), marks('24m', '2'), marks('40m')],
    );
  });
});
