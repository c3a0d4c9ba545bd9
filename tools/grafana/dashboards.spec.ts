/** The dashboards are what this directory makes, ask only for what there is, and say what they show. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEPLOYS, isPanel } from './dashboard';
import { DASHBOARDS, DIRECTORY } from './files';
import { DATASOURCE } from './panels';
import { readExpression } from './test/expression';
import { KNOWN } from './test/known-metrics';

const rules = readdirSync('deploy/prometheus/rules')
  .map((name) => readFileSync(join('deploy/prometheus/rules', name), 'utf8'))
  .join('\n');

describe('deploy/grafana', () => {
  it('holds what tools/grafana makes (otherwise: npm run grafana)', () => {
    expect(
      readdirSync(DIRECTORY)
        .map((name) => join(DIRECTORY, name))
        .sort(),
    ).toEqual([...DASHBOARDS.keys()].sort());
    for (const [path, dashboard] of DASHBOARDS)
      expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(JSON.parse(JSON.stringify(dashboard)));
  });

  it('tells Grafana how often Prometheus scrapes', () => {
    const source = readFileSync('deploy/grafana/provisioning/datasources/stockyard.yml', 'utf8');
    const [, interval] = /^ +scrape_interval: (\w+)$/m.exec(readFileSync('deploy/prometheus/prometheus.yml', 'utf8'))!;
    expect(source).toContain(`timeInterval: ${interval}\n`);
  });

  it('knows each dashboard by an address of its own', () => {
    const all = [...DASHBOARDS.values()];
    expect(new Set(all.map(({ uid }) => uid)).size).toBe(all.length);
    expect(new Set(all.map(({ title }) => title)).size).toBe(all.length);
  });
});

describe.each([...DASHBOARDS.values()].map((dashboard) => [dashboard.uid, dashboard] as const))(
  '%s',
  (_, dashboard) => {
    const panels = dashboard.panels.filter(isPanel);
    const variables = dashboard.templating.list;

    it('has titles, units, descriptions and the chosen data source on every panel, and ids that are its own', () => {
      for (const { title, description, fieldConfig, datasource, targets } of panels) {
        expect([title, description, fieldConfig.defaults.unit]).not.toContain('');
        expect(typeof fieldConfig.defaults.unit).toBe('string');
        expect(targets.length).toBeGreaterThan(0);
        for (const source of [datasource, ...targets.map((target) => target.datasource)])
          expect(source).toEqual({ type: 'prometheus', uid: '${datasource}' });
        expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
      }
      expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    });

    it('lays its panels out within 24 columns, none above another', () => {
      const taken = new Set<string>();
      for (const { title, gridPos } of dashboard.panels) {
        expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect([title, taken.has(`${x} ${y}`)]).toEqual([title, false]);
            taken.add(`${x} ${y}`);
          }
      }
    });

    it('asks only for metrics and labels that there are, rates of counters, and one of several metrics processes', () => {
      for (const { title, targets } of panels)
        for (const { expr } of targets) expect([title, expr, readExpression(expr).problems]).toEqual([title, expr, []]);
      expect(readExpression(DEPLOYS).problems).toEqual([]);
    });

    it('names in its legends labels that the series have', () => {
      for (const { title, targets } of panels)
        for (const { expr, legendFormat } of targets) {
          const { labels } = readExpression(expr);
          const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]!);
          expect([title, named.filter((label) => !labels.has(label))]).toEqual([title, []]);
        }
    });

    it('offers the variables that it uses, from labels that there are', () => {
      const used = [...JSON.stringify(dashboard.panels).matchAll(/\$\{?(?!__)([a-z_]+)/g)].map((match) => match[1]!);
      expect([...new Set(used)].sort()).toEqual(variables.map(({ name }) => name).sort());
      for (const { definition } of variables.filter(({ type }) => type === 'query')) {
        const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(String(definition))!;
        expect([definition, KNOWN.get(metric!)?.labels.has(label!)]).toEqual([definition, true]);
      }
    });

    it('leads to runbooks that there are, and draws lines where their alerts fire', () => {
      const linked = panels.flatMap(({ title, links, fieldConfig }) => {
        const steps =
          (fieldConfig.defaults.thresholds as { steps: { value: number | null }[] } | undefined)?.steps ?? [];
        return (links as { url: string }[]).map(({ url }) => ({ title, url, at: steps[1]?.value }));
      });
      expect(linked.length).toBeGreaterThan(0);
      for (const { title, url, at } of linked) {
        const page = url.replace('${runbooks:raw}', 'docs/runbooks');
        expect([title, page, existsSync(page)]).toEqual([title, page, true]);
        if (at === undefined) continue;
        const alerts = rules.split(/^ +- alert: /m).filter((rule) => rule.includes(`runbook: ${page}\n`));
        const bound = new RegExp(`[<>=] ${at}(?![\\d.])`);
        expect([title, page, at, alerts.some((rule) => bound.test(rule))]).toEqual([title, page, at, true]);
      }
    });

    it('marks deploys', () => {
      expect(dashboard.annotations.list).toEqual([
        expect.objectContaining({ name: 'Deploys', enable: true, expr: DEPLOYS, datasource: DATASOURCE }),
      ]);
    });
  },
);

describe('the platform', () => {
  it('shows traces on the durations of requests', () => {
    const panels = [...DASHBOARDS.values()].find(({ uid }) => uid === 'stockyard-platform')!.panels.filter(isPanel);
    const heatmaps = panels.filter(({ type }) => type === 'heatmap');
    expect(heatmaps.length).toBe(1);
    expect(heatmaps.every(({ targets }) => targets.every(({ exemplar }) => exemplar))).toBe(true);
  });
});

describe('the check of expressions', () => {
  it.each([
    ['sum(rate(stockyard_nothing_total[5m]))', 'asks for stockyard_nothing_total, which nothing has'],
    ['stockyard_fallback_reads{route="x"}', 'matches stockyard_fallback_reads by route, which is not there'],
    ['sum by (route) (stockyard_fallback_reads)', 'groups by route, which is not there'],
    ['sum by (node) (sum by (shard) (stockyard_node_up))', 'groups by node, which is not there'],
    ['max(up) / on (shard) max by (shard) (stockyard_node_up)', 'joins on shard, which is not there'],
    ['sum(stockyard_syncs_total)', 'takes the value of stockyard_syncs_total, a counter'],
    ['sum(rate(stockyard_fallback_reads[5m]))', 'takes rate of stockyard_fallback_reads, a gauge'],
    ['sum(stockyard_organizations)', 'counts stockyard_organizations once for each metrics process'],
    ['topk(3, stockyard_organizations)', 'counts stockyard_organizations once for each metrics process'],
    [
      'histogram_quantile(0.5, sum by (shard) (rate(stockyard_pool_wait_seconds_bucket[5m])))',
      'takes a quantile without le',
    ],
    ['sum(up', 'is no PromQL from ""'],
  ])('refuses %s', (expr, problem) => {
    expect(readExpression(expr).problems).toContain(problem);
  });

  it('knows the series that an answer has', () => {
    expect(readExpression('topk(3, max by (state) (stockyard_organizations)) > 0')).toEqual({
      selectors: [{ metric: 'stockyard_organizations', matchers: [] }],
      labels: new Set(['state']),
      problems: [],
    });
  });
});
