/**
 * The Prometheus registry of one process. Libraries hand in a way to read a number; it is read at each scrape, so that
 * nothing is kept up to date for nobody. Labels must have few values: never a tenant, never an id.
 */
import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, type OpenMetricsContentType, Registry } from 'prom-client';
import { currentWork } from '#libs/tracing';
import { exposition, type ExpositionFormat } from './exposition';

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ReadMetric {
  /** With unit, such as `stockyard_pool_connections`; counters end in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** Called at each scrape. A rejection leaves the metric out of that scrape. */
  read(): readonly Sample[] | Promise<readonly Sample[]>;
}

export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
}

/** Records one observation. */
export type Observe = (labels: Record<string, string>, value: number, traceId?: string) => void;

async function samples(metric: ReadMetric): Promise<readonly Sample[]> {
  try {
    return await metric.read();
  } catch {
    return []; // one source that is away does not cost the scrape of the others
  }
}

@Injectable()
export class MetricsRegistry {
  private readonly registry = new Registry<OpenMetricsContentType>();

  constructor() {
    this.registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE); // or it takes no exemplars; what is written, the scraper says
    collectDefaultMetrics({ register: this.registry });
  }

  /** A value that goes up and down. */
  gauge(metric: ReadMetric): void {
    const { name, help, labels = [] } = metric;
    new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers: [this.registry],
      async collect() {
        const read = await samples(metric);
        this.reset();
        if (labels.length === 0) this.remove(); // a reset leaves 0, which would be a claim
        for (const sample of read) this.set({ ...sample.labels }, sample.value);
      },
    });
  }

  /** A total that its owner counts and that only rises while the process lives. */
  counter(metric: ReadMetric): void {
    const { name, help, labels = [] } = metric;
    new Counter({
      name,
      help,
      labelNames: [...labels],
      registers: [this.registry],
      async collect() {
        const read = await samples(metric);
        this.reset();
        if (labels.length === 0) this.remove();
        for (const sample of read) this.inc({ ...sample.labels }, sample.value);
      },
    });
  }

  /** Answers with what records one observation. The trace, by default the current one, becomes its bucket's exemplar. */
  histogram(options: HistogramOptions): Observe {
    const { name, help, labels, buckets } = options;
    const histogram = new Histogram({
      name,
      help,
      labelNames: [...labels],
      buckets: [...buckets],
      enableExemplars: true,
      registers: [this.registry],
    });
    return (values, value, traceId = currentWork()?.exemplar) =>
      histogram.observe({
        labels: values,
        value,
        exemplarLabels: traceId === undefined ? {} : { trace_id: traceId },
      });
  }

  /** Every metric that there is, whether it has a value or not, with the labels that it may have. */
  families(): { readonly name: string; readonly labels: readonly string[] }[] {
    const families = this.registry.getMetricsAsArray() as unknown as { name: string; labelNames?: readonly string[] }[];
    return families.map(({ name, labelNames = [] }) => ({ name, labels: labelNames }));
  }

  /** All metrics, read now. */
  async text(format: ExpositionFormat = 'prometheus'): Promise<string> {
    return exposition(await this.registry.getMetricsAsJSON(), format);
  }
}
