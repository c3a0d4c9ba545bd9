/**
 * What the controllers get to see of the plant: metrics-server's processor time and memory, and what Prometheus has scraped. Both
 * are as old as their last round, and know nothing of a pod at first.
 */
import type { Observation, PodSample, PodSamples, PodView } from '../hpa/observation';
import { evaluate, single } from '../prometheus/evaluate';
import { Samples } from '../prometheus/samples';
import type { Value } from '../prometheus/value';
import { NAMESPACE, type Plant } from './plant';
import type { Pod } from './pod';

/** `--metric-resolution` of metrics-server. */
export const METRICS_SERVER_SECONDS = 15;

/** How the adapter answers for metrics of pods: the query of its rule, by the name that the autoscaler asks for. */
export type AdapterRules = ReadonlyMap<string, AdapterRule>;
export interface AdapterRule {
  readonly series: string;
  /** With `<<.Series>>`, `<<.LabelMatchers>>` and `<<.GroupBy>>`. */
  readonly query: string;
}

export interface MonitoringOptions {
  readonly scrapeSeconds: number;
  readonly rules: AdapterRules;
}

interface Spent {
  readonly at: number;
  readonly seconds: number;
}

export class Monitoring {
  readonly samples = new Samples();
  private readonly spent = new Map<Pod, Spent>();
  private cpu = new Map<string, PodSample>();
  private memory = new Map<string, PodSample>();

  constructor(
    private readonly plant: Plant,
    private readonly options: MonitoringOptions,
  ) {}

  /** Every second. */
  look(now: number): void {
    if (now % METRICS_SERVER_SECONDS === 0) this.lookAtContainers(now);
    if (now % this.options.scrapeSeconds === 0) this.samples.scrape(now, this.plant.series(now));
  }

  observe(now: number): Observation & { query(query: string): number | undefined } {
    const pods = this.plant.fleet.pods(now).map((pod) => pod.view(now));
    return {
      pods,
      resource: (name) => (name === 'cpu' ? this.cpu : name === 'memory' ? this.memory : null),
      podMetric: (name) => this.podMetric(name, pods, now),
      single: (name, selector) => this.externalMetric(name, selector, now),
      query: (query) => single(query, { samples: this.samples, at: now }),
    };
  }

  /** Mean of the pods that it knows, in cores. */
  get meanCores(): number {
    const values = [...this.cpu.values()].map(({ value }) => value);
    return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
  }

  private lookAtContainers(now: number): void {
    const [cpu, memory] = [new Map<string, PodSample>(), new Map<string, PodSample>()];
    for (const pod of this.plant.fleet.pods(now)) {
      if (now < pod.startedAt) continue;
      const seconds = pod.processor.spent(now);
      const before = this.spent.get(pod);
      this.spent.set(pod, { at: now, seconds });
      if (!before) continue; // a rate needs two looks
      const windowSeconds = now - before.at;
      const cores = (seconds - before.seconds) / windowSeconds;
      cpu.set(pod.name, { value: cores, at: now, windowSeconds });
      memory.set(pod.name, { value: pod.memory(cores), at: now, windowSeconds });
    }
    [this.cpu, this.memory] = [cpu, memory];
  }

  private podMetric(name: string, pods: readonly PodView[], now: number): PodSamples | null {
    const answer = this.ask(name, `pod=~"${pods.map((pod) => pod.name).join('|')}"`, now);
    if (answer === null || typeof answer === 'number') return null;
    const samples = answer.map(
      ({ labels, value }) => [labels.pod ?? '', { value, at: now, windowSeconds: 0 }] as const,
    );
    return new Map(samples);
  }

  /** The autoscaler adds up what there is. */
  private externalMetric(name: string, selector: string | undefined, now: number): number | null {
    const answer = this.ask(name, selector, now);
    if (answer === null || typeof answer === 'number' || answer.length === 0) return null;
    return answer.reduce((sum, { value }) => sum + value, 0);
  }

  private ask(name: string, selector: string | undefined, now: number): Value | null {
    const rule = this.options.rules.get(name);
    if (!rule) return null;
    const query = rule.query
      .replaceAll('<<.Series>>', rule.series)
      .replaceAll('<<.LabelMatchers>>', [`namespace="${NAMESPACE}"`, ...(selector ? [selector] : [])].join(','))
      .replaceAll('<<.GroupBy>>', 'pod');
    return evaluate(query, { samples: this.samples, at: now });
  }
}
