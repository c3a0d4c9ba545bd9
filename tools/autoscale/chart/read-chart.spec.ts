import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quantity } from './quantity';
import { readChart } from './read-chart';

const TEXT = readFileSync(join(__dirname, '../test/chart.yaml'), 'utf8');
const MIB = 2 ** 20;

describe('a rendered chart', () => {
  const { api, workers, scrapeSeconds, rules } = readChart(TEXT);

  it('says what scales the api', () => {
    expect(api.scaler).toMatchObject({
      kind: 'hpa',
      hpa: {
        minReplicas: 3,
        maxReplicas: 20,
        metrics: [
          { kind: 'Resource', name: 'cpu', target: { type: 'Utilization', percent: 70 } },
          { kind: 'Resource', name: 'memory', target: { type: 'AverageValue', value: 409 * MIB } },
          { kind: 'Pods', name: 'http_requests_per_second', target: { type: 'AverageValue', value: 1_000 } },
          { kind: 'Pods', name: 'stockyard_http_p95_seconds', target: { type: 'AverageValue', value: 0.5 } },
        ],
        behavior: { scaleDown: { stabilizationWindowSeconds: 300, selectPolicy: 'Max' } },
      },
    });
  });

  it('says what a pod of it is like', () => {
    expect(api.workload).toEqual({
      name: 'stockyard-api',
      requests: { cpu: 0.25, memory: 256 * MIB },
      limits: { cpu: 0.5, memory: 512 * MIB },
      startupProbe: { initialDelaySeconds: 0, periodSeconds: 2 },
      readinessProbe: { initialDelaySeconds: 0, periodSeconds: 5 },
      preStopSeconds: 5,
      env: { API_PORT: '3000', SHUTDOWN_GRACE_MS: '20000' },
    });
  });

  it('says what scales the workers', () => {
    expect(workers).toHaveLength(1);
    expect(workers[0]).toMatchObject({
      workload: { env: { WORKER_CLASSES: 'critical,high,normal' } },
      scaler: {
        kind: 'keda',
        scaledObject: {
          ...{ minReplicaCount: 2, maxReplicaCount: 10, pollingIntervalSeconds: 15, cooldownSeconds: 300 },
          fallback: { failureThreshold: 3, replicas: 2, behavior: 'currentReplicasIfHigher' },
          behavior: { scaleUp: { selectPolicy: 'Max' }, scaleDown: { stabilizationWindowSeconds: 300 } },
          triggers: [
            { name: 's0-prometheus', threshold: 5, metricType: 'AverageValue', ignoreNullValues: false },
            { name: 's1-prometheus', threshold: 1_000 },
            { resource: 'cpu', threshold: 70, metricType: 'Utilization' },
          ],
        },
      },
    });
  });

  it('says how often it is scraped and what the adapter asks', () => {
    expect(scrapeSeconds).toBe(15);
    expect([...rules.keys()]).toEqual(['http_requests_per_second', 'stockyard_http_p95_seconds']);
    expect(rules.get('stockyard_http_p95_seconds')!.series).toBe('stockyard_http_p95_seconds');
  });

  it('is refused where a workload has two autoscalers, or a trigger is of a kind that is not known', () => {
    expect(() => readChart(TEXT.replace('name: stockyard-worker-fast }', 'name: stockyard-api }'))).toThrow('two autoscalers'); // prettier-ignore
    expect(() => readChart(TEXT.replace('type: prometheus', 'type: kafka'))).toThrow('kafka');
    expect(() => readChart('kind: Service')).toThrow('no autoscaler');
  });
});

describe('quantities', () => {
  it.each([
    ['250m', 0.25],
    ['256Mi', 256 * MIB],
    ['1k', 1_000],
    [2, 2],
    ['0.5', 0.5],
    ['1e3', 1_000],
  ])('%s', (text, value) => expect(quantity(text)).toBe(value));

  it.each(['', 'm', '12x', '1.2.3'])('are not "%s"', (text) => expect(() => quantity(text)).toThrow(TypeError));
});
