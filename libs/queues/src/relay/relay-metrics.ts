/** What the relay of this worker gets done. How much waits, and for how long, the metrics process asks the shards themselves. */
import { Injectable, Optional } from '@nestjs/common';
import { MetricsRegistry, type Observe } from '#libs/observability';
import type { Published } from './outbox.repository';

const ROWS = [1, 2, 5, 10, 20, 50, 100, 200];
const SECONDS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const MS_PER_SECOND = 1_000;

@Injectable()
export class RelayMetrics {
  private readonly failures = new Map<string, number>();
  private readonly batch: Observe | undefined;
  private readonly took: Observe | undefined;

  constructor(@Optional() metrics?: MetricsRegistry) {
    const labels = ['shard'];
    this.batch = metrics?.histogram({
      name: 'stockyard_outbox_batch_rows',
      help: 'Rows of the outbox that a batch published; batches that found nothing do not count.',
      labels,
      buckets: ROWS,
    });
    this.took = metrics?.histogram({
      name: 'stockyard_outbox_batch_seconds',
      help: 'How long such a batch took, from the lock of its rows to their mark.',
      labels,
      buckets: SECONDS,
    });
    metrics?.counter({
      name: 'stockyard_outbox_failures_total',
      help: 'Batches that were not published; their rows wait for the next one.',
      labels,
      read: () => [...this.failures].map(([shard, value]) => ({ labels: { shard }, value })),
    });
  }

  /** Does a batch and counts it. */
  async count(shard: string, publish: () => Promise<Published>): Promise<Published> {
    const began = performance.now();
    try {
      const published = await publish();
      if (published.rows > 0) {
        this.batch?.({ shard }, published.rows);
        this.took?.({ shard }, (performance.now() - began) / MS_PER_SECOND);
      }
      return published;
    } catch (error) {
      this.failures.set(shard, (this.failures.get(shard) ?? 0) + 1);
      throw error;
    }
  }
}
