/** A rendered HorizontalPodAutoscaler. */
import type { HpaSpec, MetricSpec, MetricTarget } from '../hpa/spec';
import { quantity } from './quantity';
import { type RawBehavior, readBehavior } from './read-behavior';

interface RawTarget {
  readonly type: string;
  readonly averageUtilization?: number;
  readonly averageValue?: string | number;
  readonly value?: string | number;
}
interface RawSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: string[];
  }[];
}
interface RawSource {
  readonly name?: string;
  readonly metric?: { readonly name: string; readonly selector?: RawSelector };
  readonly target: RawTarget;
}
interface RawMetric {
  readonly type: MetricSpec['kind'];
  readonly resource?: RawSource;
  readonly pods?: RawSource;
  readonly object?: RawSource;
  readonly external?: RawSource;
}
export interface RawHpa {
  readonly scaleTargetRef: { readonly name: string };
  readonly minReplicas?: number;
  readonly maxReplicas: number;
  readonly metrics?: readonly RawMetric[];
  readonly behavior?: RawBehavior;
}

const DEFAULT_METRICS: readonly MetricSpec[] = [
  { kind: 'Resource', name: 'cpu', target: { type: 'Utilization', percent: 80 } },
];

export function readHpa(raw: RawHpa): HpaSpec {
  return {
    minReplicas: raw.minReplicas ?? 1,
    maxReplicas: raw.maxReplicas,
    metrics: raw.metrics?.map(readMetric) ?? DEFAULT_METRICS,
    behavior: readBehavior(raw.behavior),
  };
}

const SOURCES = { Resource: 'resource', Pods: 'pods', Object: 'object', External: 'external' } as const;

function readMetric(raw: RawMetric): MetricSpec {
  const source = raw[SOURCES[raw.type]];
  const name = source?.name ?? source?.metric?.name;
  if (!source || name === undefined) throw new TypeError(`The simulation knows no metric of type ${raw.type}.`);
  const selector = source.metric?.selector && matchers(source.metric.selector);
  return { kind: raw.type, name, target: readTarget(source.target), selector };
}

/** As prometheus-adapter writes it into a query. */
function matchers({ matchLabels = {}, matchExpressions = [] }: RawSelector): string {
  const equal = Object.entries(matchLabels).map(([label, value]) => `${label}="${value}"`);
  const among = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator !== 'In') throw new TypeError(`The simulation knows no selector with ${operator}.`);
    return `${key}=~"${values.join('|')}"`;
  });
  return [...equal, ...among].join(',');
}

function readTarget({ type, averageUtilization, averageValue, value }: RawTarget): MetricTarget {
  if (type === 'Utilization' && averageUtilization !== undefined)
    return { type: 'Utilization', percent: averageUtilization };
  if (type === 'AverageValue' && averageValue !== undefined)
    return { type: 'AverageValue', value: quantity(averageValue) };
  if (type === 'Value' && value !== undefined) return { type: 'Value', value: quantity(value) };
  throw new TypeError(`A metric has the target ${type} without its value.`);
}
