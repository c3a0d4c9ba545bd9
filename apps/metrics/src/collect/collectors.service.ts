/** Runs the collectors from the boot to the shutdown of the process and reports which of their sources answer. */
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { MetricsRegistry } from '#libs/observability';
import { Collector, type CollectorOptions } from './collector';

/** Of a shard whose first server is silent, the second is asked after a second. */
const PATIENCE_MS = 2_500;

export interface CollectorPlan<T> extends Pick<CollectorOptions<T>, 'name' | 'sources'> {
  /** Rounds of METRICS_COLLECT_MS between two of its own, for what changes slowly or costs more. Default 1. */
  readonly everyRounds?: number;
}

@Injectable()
export class Collectors implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly all: Collector[] = [];

  constructor(
    registry: MetricsRegistry,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'METRICS_COLLECT_MS'>,
  ) {
    registry.gauge({
      name: 'stockyard_collector_up',
      help: '1 for a source that answered a collector in its last round, else 0: then its figures are left out.',
      labels: ['collector', 'source'],
      read: async () => (await Promise.all(this.all.map(statesOf))).flat(),
    });
  }

  /** One that starts with the process. */
  make<T>({ everyRounds = 1, ...plan }: CollectorPlan<T>): Collector<T> {
    const everyMs = this.config.METRICS_COLLECT_MS * everyRounds;
    const collector = new Collector<T>({ ...plan, everyMs, patienceMs: PATIENCE_MS });
    this.all.push(collector);
    return collector;
  }

  onApplicationBootstrap(): void {
    for (const collector of this.all) collector.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.all.map((collector) => collector.stop()));
  }
}

async function statesOf(collector: Collector) {
  return (await collector.states()).map(({ source, isUp }) => ({
    labels: { collector: collector.name, source },
    value: Number(isUp),
  }));
}
