/** The autoscalers of rendered objects, and the queries by which they see. */
import { parse } from 'yaml';
import type { KubernetesObject } from './objects';
import type { Selector } from './pods';

export interface HorizontalSpec {
  readonly scaleTargetRef: Target;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly metrics: readonly Metric[];
  readonly behavior: Behavior;
}

export interface Target {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

interface Metric {
  readonly type: string;
  readonly resource?: unknown;
  readonly pods?: { readonly metric: { readonly name: string } };
  readonly external?: {
    readonly metric: { readonly name: string; readonly selector: Selector };
    readonly target: unknown;
  };
}

interface Behavior {
  readonly scaleUp: unknown;
  readonly scaleDown: unknown;
}

export interface ScaledSpec {
  readonly scaleTargetRef: Target;
  readonly minReplicaCount: number;
  readonly maxReplicaCount: number;
  readonly fallback?: { readonly replicas: number };
  readonly advanced: { readonly horizontalPodAutoscalerConfig: { readonly behavior: Behavior } };
  readonly triggers: readonly {
    readonly type: string;
    readonly name?: string;
    readonly metricType?: string;
    readonly metadata: Readonly<Record<string, string>>;
    readonly authenticationRef?: { readonly name: string };
  }[];
}

interface AdapterRule {
  readonly seriesQuery: string;
  readonly name: { readonly matches: string; readonly as: string };
  readonly metricsQuery: string;
}

export interface AdapterRules {
  readonly rules: readonly AdapterRule[];
  readonly externalRules: readonly AdapterRule[];
}

export function adapterRulesOf(objects: readonly KubernetesObject[]): AdapterRules | undefined {
  const map = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.endsWith('-adapter-rules'));
  return map && (parse(Object.values(map.data!)[0]!) as AdapterRules);
}

/** What prometheus-adapter asks for a metric; `matchers` are those of the autoscaler and of the namespace or pods. */
export const adapterQuery = (rule: AdapterRule, groupBy: string, matchers: readonly string[]): string =>
  rule.metricsQuery
    .replaceAll('<<.Series>>', /^\w+/.exec(rule.seriesQuery)![0])
    .replaceAll('<<.LabelMatchers>>', matchers.join(','))
    .replaceAll('<<.GroupBy>>', groupBy);

export const matchersOf = ({ matchLabels = {}, matchExpressions = [] }: Selector): string[] => [
  ...Object.entries(matchLabels).map(([label, value]) => `${label}="${value}"`),
  ...matchExpressions.map(({ key, values }) => `${key}=~"${values!.join('|')}"`),
];
