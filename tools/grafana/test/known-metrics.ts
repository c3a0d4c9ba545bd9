/** What expressions may ask for: the metrics of docs/metrics.md, what the recording rules make, and Prometheus' own. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface KnownMetric {
  readonly kind: 'counter' | 'gauge';
  readonly labels: ReadonlySet<string>;
  /** Only the metrics processes show it, each replica the same. */
  readonly isOfCluster: boolean;
}

const RULES = 'deploy/prometheus/rules';
const ROW = /^\| `((?:stockyard|http|nodejs|process)_[a-z0-9_]+)` *\| *(.*?) *\| *(.*?) *\| *(.*?) *\| *.*? *\|$/gm;
/** What a scrape adds. */
const OF_SCRAPE = ['job', 'instance'];

const metric = (kind: KnownMetric['kind'], labels: readonly string[], isOfCluster = false): KnownMetric => ({
  kind,
  labels: new Set(labels),
  isOfCluster,
});

function ofPage(): [string, KnownMetric][] {
  return [...readFileSync('docs/metrics.md', 'utf8').matchAll(ROW)].flatMap(([, name, labels, unit, processes]) => {
    const all = [...labels!.matchAll(/`(\w+)`/g)].map((match) => match[1]!).concat(OF_SCRAPE);
    const isOfCluster = processes === 'metrics';
    if (!unit!.startsWith('histogram'))
      return [[name!, metric(name!.endsWith('_total') ? 'counter' : 'gauge', all, isOfCluster)]];
    return [
      [`${name!}_bucket`, metric('counter', [...all, 'le'], isOfCluster)],
      [`${name!}_count`, metric('counter', all, isOfCluster)],
      [`${name!}_sum`, metric('counter', all, isOfCluster)],
    ];
  });
}

/** Names of recorded series begin with their labels: `tier_objective:…`. */
function ofRules(): [string, KnownMetric][] {
  const text = readdirSync(RULES).map((name) => readFileSync(join(RULES, name), 'utf8'));
  return [...text.join('\n').matchAll(/^ +- record: ((\w+?):\S+)$/gm)].map(([, name, level]) => [
    name!,
    metric('gauge', level!.split('_')),
  ]);
}

export const KNOWN: ReadonlyMap<string, KnownMetric> = new Map([
  ...ofPage(),
  ...ofRules(),
  ['up', metric('gauge', OF_SCRAPE)],
  ['ALERTS', metric('gauge', ['alertname', 'alertstate', 'severity'])],
]);
