/** Counts how syncs end, since the process started. */
import { Injectable, Optional } from '@nestjs/common';
import { MetricsRegistry } from '#libs/observability';
import type { SyncOutcome } from './sync.job';

/** `put_off`: a run that goes on later, because of the outside system or because its turn was over. */
const OUTCOMES = ['completed', 'page_limit', 'paused', 'breaker_open', 'failed', 'put_off'] as const;
type Counted = SyncOutcome | (typeof OUTCOMES)[number];

@Injectable()
export class SyncMetrics {
  private readonly counts = new Map<Counted, number>(OUTCOMES.map((outcome) => [outcome, 0]));

  constructor(@Optional() registry?: MetricsRegistry) {
    registry?.counter({
      name: 'stockyard_syncs_total',
      help: 'Runs of syncs with outside systems, by how they ended.',
      labels: ['outcome'],
      read: () => OUTCOMES.map((outcome) => ({ labels: { outcome }, value: this.counts.get(outcome)! })),
    });
  }

  count(outcome: Counted): void {
    this.counts.set(outcome, this.counts.get(outcome)! + 1);
  }
}
