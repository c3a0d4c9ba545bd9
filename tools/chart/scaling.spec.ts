/** The autoscalers ask for metrics that there are, scale what there is, and by the figures of the design. */
import { readFileSync } from 'node:fs';
import { loadConfig, type ProcessName } from '#libs/config';
import { readExpression } from '../grafana/test/expression';
import { environmentOf } from './rendered/environment';
import { readObjects } from './rendered/objects';
import { processesOf, type Workload } from './rendered/pods';
import { adapterQuery, adapterRulesOf, type HorizontalSpec, matchersOf, type ScaledSpec } from './rendered/scaling';
import { snapshotPath, VALUE_SETS } from './rendered/value-sets';

/** Labels that the scrape gives every series in a cluster. */
const OF_CLUSTER = /(?<=\{)(?:namespace|pod)=~?"[^"]*",?|,(?:namespace|pod)=~?"[^"]*"/g;

/** What is wrong with a query by what is known of the metrics. */
const problemsOf = (query: string): string[] => [...readExpression(query.replaceAll(OF_CLUSTER, '')).problems];

const objectsOf = (name: string) => readObjects(readFileSync(snapshotPath(name), 'utf8'));

describe.each([...VALUE_SETS.keys()])('with %s', (name) => {
  const objects = objectsOf(name);
  const specs = <T>(kind: string) => objects.filter((one) => one.kind === kind).map(({ spec }) => spec as T);
  const horizontal = specs<HorizontalSpec>('HorizontalPodAutoscaler');
  const scaled = specs<ScaledSpec>('ScaledObject');
  const processes = processesOf(objects);
  const targetOf = ({ scaleTargetRef }: HorizontalSpec | ScaledSpec): Workload =>
    processes.find(({ object }) => object.metadata.name === scaleTargetRef.name)!;
  const configOf = (workload: Workload) =>
    loadConfig(
      environmentOf(workload.pod.containers[0]!, objects, { optional: true }).variables,
      {},
      workload.component as ProcessName,
    );

  it('scales each Deployment by one autoscaler, and none says how many there are besides it', () => {
    const targets = [...horizontal, ...scaled].map(({ scaleTargetRef }) => scaleTargetRef);
    expect(targets.filter(({ kind, apiVersion }) => kind !== 'Deployment' || apiVersion !== 'apps/v1')).toEqual([]);
    const names = targets.map((one) => one.name);
    expect(new Set(names).size).toBe(names.length);
    for (const { title, object, spec } of processes)
      expect([title, spec.replicas !== undefined]).toEqual([title, !names.includes(object.metadata.name)]);
    for (const one of names) expect(processes.map(({ object }) => object.metadata.name)).toContain(one);
  });

  it('keeps two of whatever is asked by others, where pods may be taken away', () => {
    for (const spec of horizontal) {
      expect(spec.maxReplicas).toBeGreaterThanOrEqual(spec.minReplicas);
      if (targetOf(spec).component === 'api') expect(spec.minReplicas).toBeGreaterThanOrEqual(2);
    }
  });

  it('sees the queues through expressions that have answers, in each group for its own classes', () => {
    for (const spec of scaled) {
      const { workerClasses, ...config } = configOf(targetOf(spec));
      const queries = spec.triggers.filter(({ type }) => type === 'prometheus');
      for (const { metadata } of queries)
        expect([metadata.query, problemsOf(metadata.query!)]).toEqual([metadata.query, []]);
      const slots = queries.filter(({ metadata }) => metadata.query!.includes('stockyard_queue_slots'));
      // A trigger for each class: what one worker does at once is another number in each.
      for (const jobClass of workerClasses) {
        const own = slots.filter(({ metadata }) => metadata.query!.includes(`job_class="${jobClass}"`));
        const concurrency = config[`QUEUE_CONCURRENCY_${jobClass.toUpperCase()}` as 'QUEUE_CONCURRENCY_LOW'];
        expect(own.map(({ metadata }) => metadata.threshold)).toEqual([String(concurrency)]);
      }
      expect(slots.length).toBe(workerClasses.length);
      const [depth] = queries.filter((one) => !slots.includes(one));
      const [, classes] = /job_class=~"([^"]+)"/.exec(depth!.metadata.query!)!;
      expect(classes!.split('|').sort()).toEqual([...workerClasses].sort());
      expect(queries.map(({ metricType }) => metricType)).toEqual(queries.map(() => 'AverageValue'));
    }
  });

  it('asks Prometheus as it wants to be asked', () => {
    const known = objects.filter(({ kind }) => kind === 'TriggerAuthentication').map(({ metadata }) => metadata.name);
    for (const { triggers } of scaled)
      for (const { type, metadata, authenticationRef } of triggers.filter((one) => one.type === 'prometheus')) {
        expect(type).toBe('prometheus');
        expect(new URL(metadata.serverAddress!).protocol).toMatch(/^https?:$/);
        expect([metadata.authModes, authenticationRef?.name]).toEqual(
          known.length > 0 ? ['bearer', known[0]] : [undefined, undefined],
        );
      }
  });

  it('falls back to no fewer than its least number while nothing is known', () => {
    for (const { fallback, minReplicaCount } of scaled)
      expect(fallback!.replicas).toBeGreaterThanOrEqual(minReplicaCount);
  });

  it('has a rule of prometheus-adapter for each metric that an autoscaler asks for, with an expression that has answers', () => {
    const rules = adapterRulesOf(objects);
    if (!rules) return;
    for (const spec of horizontal)
      for (const { pods, external } of spec.metrics) {
        if (pods) {
          const [rule] = rules.rules.filter((one) => one.name.as === pods.metric.name);
          const query = adapterQuery(rule!, 'pod', ['pod=~"a|b"']);
          expect([query, problemsOf(query.replace('by (pod)', ''))]).toEqual([query, []]);
        }
        if (external) {
          const { workerClasses } = configOf(targetOf(spec));
          const [rule, ...others] = rules.externalRules.filter((one) => one.name.as === external.metric.name);
          expect(others).toEqual([]);
          const query = adapterQuery(rule!, 'namespace', ['namespace="shop"', ...matchersOf(external.metric.selector)]);
          expect([query, problemsOf(query)]).toEqual([query, []]);
          const asked = matchersOf(external.metric.selector)
            .join()
            .match(/[a-z]+(?=["|])/g)!;
          expect(asked.filter((one) => !workerClasses.includes(one))).toEqual([]);
        }
      }
  });
});

describe('where nothing else is said', () => {
  const objects = objectsOf('minimal');
  const [api] = objects.filter(
    ({ kind, metadata }) => kind === 'HorizontalPodAutoscaler' && metadata.name.endsWith('-api'),
  );

  it('the api is scaled as the design has it', () => {
    expect(api!.spec).toEqual({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop-stockyard-api' },
      minReplicas: 3,
      maxReplicas: 20,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } },
        // 80 % of the limit of 512Mi.
        { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '409Mi' } } },
        {
          type: 'Pods',
          pods: {
            metric: { name: 'http_requests_per_second' },
            target: { type: 'AverageValue', averageValue: '1000' },
          },
        },
        {
          type: 'Pods',
          pods: {
            metric: { name: 'stockyard_http_p95_seconds' },
            target: { type: 'AverageValue', averageValue: '500m' },
          },
        },
      ],
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 0,
          selectPolicy: 'Max',
          policies: [
            { type: 'Percent', value: 50, periodSeconds: 60 },
            { type: 'Pods', value: 2, periodSeconds: 60 },
          ],
        },
        scaleDown: {
          stabilizationWindowSeconds: 300,
          selectPolicy: 'Max',
          policies: [{ type: 'Percent', value: 10, periodSeconds: 60 }],
        },
      },
    });
  });

  it('workers are added when more than 1,000 jobs wait for each', () => {
    const scaled = objects.filter(({ kind }) => kind === 'ScaledObject').map(({ spec }) => spec as ScaledSpec);
    expect(scaled.length).toBe(2);
    for (const { triggers } of scaled)
      expect(triggers.filter(({ name }) => name === 'depth').map(({ metadata }) => metadata.threshold)).toEqual([
        '1000',
      ]);
  });
});
