/** What Prometheus makes of the chart's rules, and what the autoscalers see of series as two metrics processes show them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHART } from './files';
import { readObjects } from './rendered/objects';
import { adapterQuery, adapterRulesOf, type HorizontalSpec, matchersOf, type ScaledSpec } from './rendered/scaling';
import { snapshotPath } from './rendered/value-sets';

let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'stockyard-chart-'))));
afterAll(() => rmSync(directory, { recursive: true }));

const promtool = (...options: string[]): string => execFileSync('promtool', options, { encoding: 'utf8' });

it('the rules are such that Prometheus understands them', () => {
  const files = readdirSync(join(CHART, 'files/rules')).map((name) => join(CHART, 'files/rules', name));
  expect(promtool('check', 'rules', ...files)).not.toContain('FAILED');
});

/** The release's own, and those of another one next door. */
const of = (instance: string, series: string, labels: string, value: number, namespace = 'shop') => ({
  series: `${series}{job="stockyard-metrics",namespace="${namespace}",instance="${instance}",pod="${instance}",${labels}}`,
  values: `${value}x10`,
});

const SERIES = [
  ...['a', 'b'].flatMap((instance) => [
    of(instance, 'stockyard_queue_jobs', 'job_class="critical",state="active"', 4),
    of(instance, 'stockyard_queue_jobs', 'job_class="critical",state="waiting"', 200),
    of(instance, 'stockyard_queue_jobs', 'job_class="high",state="active"', 1),
    of(instance, 'stockyard_queue_jobs', 'job_class="high",state="waiting"', instance === 'a' ? 300 : 310),
    of(instance, 'stockyard_queue_jobs', 'job_class="normal",state="waiting"', 50),
    of(instance, 'stockyard_queue_jobs', 'job_class="bulk",state="waiting"', 9_000),
    of(instance, 'stockyard_queue_backlog_seconds', 'job_class="critical"', 60),
    of(instance, 'stockyard_queue_slots', 'job_class="critical"', 20),
    // Nobody runs it: what waits is reckoned with one slot.
    of(instance, 'stockyard_queue_backlog_seconds', 'job_class="high"', 90),
    of(instance, 'stockyard_queue_slots', 'job_class="high"', 0),
  ]),
  of('c', 'stockyard_queue_jobs', 'job_class="critical",state="active"', 7_000, 'next-door'),
  of('c', 'stockyard_queue_jobs', 'job_class="critical",state="waiting"', 7_000, 'next-door'),
  of('c', 'stockyard_queue_backlog_seconds', 'job_class="critical"', 7_000, 'next-door'),
  of('c', 'stockyard_queue_slots', 'job_class="critical"', 7_000, 'next-door'),
  of('api-1', 'http_requests_per_second', 'x="y"', 900),
  of('api-2', 'http_requests_per_second', 'x="y"', 1_100),
  of('api-1', 'stockyard_http_p95_seconds', 'x="y"', 0.2),
  of('api-2', 'stockyard_http_p95_seconds', 'x="y"', 0.3),
];

/** Throws with what promtool says where an expression has another answer. */
function evaluate(
  answers: readonly { expr: string; exp_samples: readonly { labels: string; value: number }[] }[],
): void {
  const file = join(directory, 'test.yml');
  const promql_expr_test = answers.map((one) => ({ ...one, eval_time: '5m' }));
  const tests = [{ interval: '1m', input_series: SERIES, promql_expr_test }];
  writeFileSync(file, JSON.stringify({ rule_files: [], evaluation_interval: '1m', tests }));
  expect(promtool('test', 'rules', file)).toContain('SUCCESS');
}

const one = (value: number) => [{ labels: '{}', value }];

it('KEDA sees the slots that a class wants and the jobs that wait in its group', () => {
  const objects = readObjects(readFileSync(snapshotPath('minimal'), 'utf8'));
  const fast = objects.find(({ kind, metadata }) => kind === 'ScaledObject' && metadata.name.endsWith('-fast'));
  const { triggers } = fast!.spec as ScaledSpec;
  const query = (name: string) => triggers.find((trigger) => trigger.name === name)!.metadata.query!;
  evaluate([
    // 4 are busy, and 60 s of 20 slots are to be done in 30 s.
    { expr: query('slots-critical'), exp_samples: one(4 + (60 * 20) / 30) },
    { expr: query('slots-high'), exp_samples: one(1 + 90 / 30) },
    // Of the process that counted more, and nothing of the other group.
    { expr: query('depth'), exp_samples: one(200 + 310 + 50) },
  ]);
});

it('prometheus-adapter answers the same, for pods and for queues', () => {
  const objects = readObjects(readFileSync(snapshotPath('groups'), 'utf8'));
  const { rules, externalRules } = adapterRulesOf(objects)!;
  const urgent = objects.find(
    ({ kind, metadata }) => kind === 'HorizontalPodAutoscaler' && metadata.name.endsWith('-urgent'),
  );
  const external = (urgent!.spec as HorizontalSpec).metrics.flatMap((metric) => metric.external?.metric ?? []);
  const asked = external.map(({ name, selector }) => {
    const rule = externalRules.find((candidate) => candidate.name.as === name)!;
    return adapterQuery(rule, 'namespace', ['namespace="shop"', ...matchersOf(selector)]);
  });
  const ofPods = rules.map((rule) => adapterQuery(rule, 'pod', ['namespace="shop"', 'pod=~"api-1|api-2"']));
  const pods = (...values: number[]) => values.map((value, at) => ({ labels: `{pod="api-${at + 1}"}`, value }));
  evaluate([
    { expr: asked[0]!, exp_samples: one(4 + (60 * 20) / 10) },
    { expr: asked[1]!, exp_samples: one(200) },
    { expr: ofPods[0]!, exp_samples: pods(900, 1_100) },
    { expr: ofPods[1]!, exp_samples: pods(0.2, 0.3) },
  ]);
  expect([asked.length, ofPods.length]).toEqual([2, 2]);
});
