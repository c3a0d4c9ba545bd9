/** What became of the spans of this process. */
import { Inject, Injectable } from '@nestjs/common';
import { MetricsRegistry } from '../metrics-registry';
import type { OpenTracing } from './open-tracing';
import { OPEN_TRACING } from './tracing.constants';

@Injectable()
export class TraceCounter {
  constructor(registry: MetricsRegistry, @Inject(OPEN_TRACING) opened: OpenTracing | null) {
    registry.counter({
      name: 'stockyard_trace_spans_total',
      help: 'Spans that the collector took (exported), did not take (failed), and for which the queue had no room (dropped).',
      labels: ['outcome'],
      read: () => {
        if (!opened) return [];
        const { exported, dropped, failed } = opened.queue.counts;
        return Object.entries({ exported, dropped, failed }).map(([outcome, value]) => ({
          labels: { outcome },
          value,
        }));
      },
    });
  }
}
