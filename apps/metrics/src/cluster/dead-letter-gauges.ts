/** Dead letters for Prometheus, 0 for a class that has none; a shard that does not answer shows nothing. */
import { Injectable } from '@nestjs/common';
import { MetricsRegistry, type Sample } from '#libs/observability';
import { JOB_CLASSES, type JobClass } from '#libs/queues';
import type { Collector } from '../collect/collector';
import { Collectors } from '../collect/collectors.service';
import { ShardMonitors } from './shard-monitors';

const TOTALS = `select class, letters::double precision,
  extract(epoch from greatest(now() - oldest, '0'))::double precision as age_seconds from dead_letter_totals()`;

interface Totals {
  readonly class: JobClass;
  readonly letters: number;
  readonly age_seconds: number;
}

@Injectable()
export class DeadLetterGauges {
  private readonly totals: Collector<Totals[]>;

  constructor(registry: MetricsRegistry, collectors: Collectors, monitors: ShardMonitors) {
    this.totals = collectors.make({ name: 'dead_letters', sources: () => monitors.eachShard<Totals>(TOTALS) });
    const labels = ['shard', 'job_class'] as const;
    registry.gauge({
      name: 'stockyard_dead_letters',
      help: 'Jobs that have failed for good and wait for somebody to replay or discard them.',
      labels: [...labels],
      read: () => this.samples(({ letters }) => letters),
    });
    registry.gauge({
      name: 'stockyard_dead_letter_oldest_age_seconds',
      help: 'Time since the oldest of them failed.',
      labels: [...labels],
      read: () => this.samples(({ age_seconds }) => age_seconds),
    });
  }

  private async samples(figure: (totals: Totals) => number): Promise<Sample[]> {
    return (await this.totals.values()).flatMap(({ source: shard, value: rows }) =>
      JOB_CLASSES.map((job_class) => {
        const totals = rows.find((row) => row.class === job_class);
        return { labels: { shard, job_class }, value: totals ? figure(totals) : 0 };
      }),
    );
  }
}
