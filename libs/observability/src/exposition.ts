/**
 * Writes metrics as text: the Prometheus format, or OpenMetrics 1.0 for scrapers that ask for it, which alone has exemplars.
 * prom-client's own writer keeps to the one format that a registry was made for: one scrape in the other renames its counters for good.
 */
import type { MetricObjectWithValues, MetricValue } from 'prom-client';

export type ExpositionFormat = 'prometheus' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** What prom-client hands out beside what it declares. */
type Value = MetricValue<string> & {
  readonly metricName?: string;
  readonly exemplar?: {
    readonly labelSet: Readonly<Record<string, string>>;
    readonly value: number;
    readonly timestamp: number;
  } | null;
};
/** As a registry of prom-client hands it out, which declares `type` as an enum that it does not have. */
export type MetricFamily = Omit<MetricObjectWithValues<MetricValue<string>>, 'type' | 'aggregator' | 'collect'> & {
  readonly type: unknown;
};

/** OpenMetrics where the scraper names it; its order of preference is its own, and whoever takes it takes it first. */
export function formatFor(accept: string | undefined): ExpositionFormat {
  return /(?:^|,)\s*application\/openmetrics-text\s*(?:[;,]|$)/.test(accept ?? '') ? 'openmetrics' : 'prometheus';
}

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

const line = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const quoted = (text: string) => line(text).replaceAll('"', '\\"');

function braces(labels: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${quoted(String(value))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function sample({ labels, value, metricName, exemplar }: Value, name: string, format: ExpositionFormat): string {
  const text = `${metricName ?? name}${braces(labels)} ${number(value)}`;
  if (!exemplar || format !== 'openmetrics') return text;
  return `${text} # ${braces(exemplar.labelSet)} ${number(exemplar.value)} ${exemplar.timestamp}`;
}

/** The families in their order; one without samples shows its help and type, so that it can be found. */
export function exposition(families: readonly MetricFamily[], format: ExpositionFormat): string {
  const open = format === 'openmetrics';
  const lines: string[] = [];
  for (const { name, help, type, values } of families) {
    const family = open && type === 'counter' ? name.replace(/_total$/, '') : name;
    lines.push(`# HELP ${family} ${open ? quoted(help) : line(help)}`, `# TYPE ${family} ${String(type)}`);
    for (const value of values as Value[]) lines.push(sample(value, name, format));
  }
  if (open) lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}
