/** What a rendered chart says of scaling: the api's autoscaler, each group of workers with its own, and what they see. */
import { parse } from 'yaml';
import type { HpaSpec } from '../hpa/spec';
import type { ScaledObjectSpec } from '../keda/spec';
import type { AdapterRule, AdapterRules } from '../model/monitoring';
import type { Workload } from '../model/workload';
import { type KubeObject, readObjects } from './objects';
import { type RawHpa, readHpa } from './read-hpa';
import { type RawScaledObject, readScaledObject } from './read-scaled-object';
import { type RawDeployment, readWorkload } from './read-workload';

export type ScalerSpec =
  { readonly kind: 'hpa'; readonly hpa: HpaSpec } | { readonly kind: 'keda'; readonly scaledObject: ScaledObjectSpec };

export interface Scaled {
  readonly workload: Workload;
  readonly scaler: ScalerSpec;
}

export interface ChartPolicies {
  readonly api: Scaled;
  /** Each runs the classes that WORKER_CLASSES names. */
  readonly workers: readonly Scaled[];
  readonly scrapeSeconds: number;
  readonly rules: AdapterRules;
}

/** Prometheus' own, where no ServiceMonitor says more. */
const DEFAULT_SCRAPE_SECONDS = 15;

/** Throws a TypeError that names what is missing. */
export function readChart(text: string): ChartPolicies {
  const objects = readObjects(text);
  const scaled = objects.filter(({ kind }) => kind === 'Deployment').flatMap((one) => readScaled(one, objects));
  const [api] = scaled.filter(({ workload }) => /(?:^|-)api$/.test(workload.name));
  const workers = scaled.filter(({ workload }) => /(?:^|-)worker(?:-|$)/.test(workload.name));
  if (!api) throw new TypeError('The rendered chart has no autoscaler for a Deployment called …-api.');
  return { api, workers, scrapeSeconds: scrapeSeconds(objects), rules: adapterRules(objects) };
}

function readScaled({ metadata: { name }, spec }: KubeObject, objects: readonly KubeObject[]): Scaled[] {
  const of = (kind: string) => objects.find((one) => one.kind === kind && targetOf(one) === name)?.spec;
  const workload = readWorkload(name, spec as RawDeployment, settingsOf(objects));
  const [hpa, scaledObject] = [of('HorizontalPodAutoscaler'), of('ScaledObject')];
  if (hpa && scaledObject) throw new TypeError(`${name} has two autoscalers, which would fight.`);
  if (hpa) return [{ workload, scaler: { kind: 'hpa', hpa: readHpa(hpa as RawHpa) } }];
  if (!scaledObject) return [];
  return [{ workload, scaler: { kind: 'keda', scaledObject: readScaledObject(scaledObject as RawScaledObject) } }];
}

const targetOf = ({ spec }: KubeObject): string | undefined =>
  (spec as { scaleTargetRef?: { name: string } } | undefined)?.scaleTargetRef?.name;

/** The environment that all processes share. */
function settingsOf(objects: readonly KubeObject[]): Record<string, string> {
  const maps = objects.filter(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.endsWith('-environment'));
  return Object.assign({}, ...maps.map(({ data }) => data ?? {})) as Record<string, string>;
}

function scrapeSeconds(objects: readonly KubeObject[]): number {
  const monitors = objects.filter(({ kind }) => kind === 'ServiceMonitor').map(({ spec }) => spec);
  const intervals = (monitors as { endpoints?: { interval?: string }[] }[]).flatMap(({ endpoints = [] }) =>
    endpoints.flatMap(({ interval }) => (interval === undefined ? [] : [seconds(interval)])),
  );
  return intervals.length === 0 ? DEFAULT_SCRAPE_SECONDS : Math.max(...intervals);
}

function seconds(interval: string): number {
  const [, number, unit] = /^(\d+)(s|m)$/.exec(interval) ?? [];
  if (number === undefined) throw new TypeError(`A scrape interval of "${interval}" is not understood.`);
  return Number(number) * (unit === 'm' ? 60 : 1);
}

interface RawRule {
  readonly seriesQuery: string;
  readonly name?: { readonly as?: string };
  readonly metricsQuery: string;
}

/** Of prometheus-adapter's ConfigMap. */
function adapterRules(objects: readonly KubeObject[]): AdapterRules {
  const found = new Map<string, AdapterRule>();
  for (const { kind, data } of objects) {
    const text = kind === 'ConfigMap' ? data?.['config.yaml'] : undefined;
    if (text === undefined || !text.includes('metricsQuery')) continue;
    const { rules = [], externalRules = [] } = parse(text) as { rules?: RawRule[]; externalRules?: RawRule[] };
    for (const { seriesQuery, name, metricsQuery } of [...rules, ...externalRules]) {
      const series = /^\w+/.exec(seriesQuery)?.[0] ?? '';
      found.set(name?.as ?? series, { series, query: metricsQuery });
    }
  }
  return found;
}
