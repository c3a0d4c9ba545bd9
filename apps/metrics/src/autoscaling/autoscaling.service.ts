/** The signals of all processes and queues, and what the triggers make of them. Asked on the schedule of the collectors. */
import { Injectable } from '@nestjs/common';
import type { QueueDepth } from '#libs/messaging';
import { MetricsRegistry, type ProcessSignals, SignalReader } from '#libs/observability';
import { ClusterService } from '../cluster/cluster.service';
import { type Collector } from '../collect/collector';
import { Collectors } from '../collect/collectors.service';
import { type Autoscaling, autoscaling } from './triggers';

export interface AutoscalingReport extends Autoscaling {
  /** Each process that spoke in the last 15 seconds; null while nobody can be heard. */
  readonly processes: readonly ProcessSignals[] | null;
  /** Each class: how many wait, and how long that will take. Null while the queues do not answer. */
  readonly queues:
    readonly Pick<QueueDepth, 'job_class' | 'waiting' | 'backlog_seconds' | 'workers' | 'slots'>[] | null;
}

@Injectable()
export class AutoscalingService {
  private readonly signals: Collector<ProcessSignals[]>;

  constructor(
    registry: MetricsRegistry,
    collectors: Collectors,
    reader: SignalReader,
    private readonly cluster: ClusterService,
  ) {
    this.signals = collectors.make({
      name: 'signals',
      sources: () => [{ name: 'processes', read: () => reader.processes() }],
    });
    registry.gauge({
      name: 'stockyard_autoscaling_value',
      help: 'What a trigger of autoscaling sees, the mean of its processes.',
      labels: ['process', 'trigger'],
      read: async () =>
        (await this.report()).triggers.flatMap(({ process, trigger, value }) =>
          value === null ? [] : [{ labels: { process, trigger }, value }],
        ),
    });
    registry.gauge({
      name: 'stockyard_autoscaling_processes',
      help: 'Processes: there are, and wanted by the triggers.',
      labels: ['process', 'state'],
      read: async () =>
        (await this.report()).decisions.flatMap(({ process, processes, wanted }) => [
          ...(processes === null ? [] : [{ labels: { process, state: 'present' }, value: processes }]),
          ...(wanted === null ? [] : [{ labels: { process, state: 'wanted' }, value: wanted }]),
        ]),
    });
  }

  /** Never rejects. */
  async report(): Promise<AutoscalingReport> {
    const [answers, { queues }] = await Promise.all([this.signals.values(), this.cluster.snapshot()]);
    const processes = answers[0]?.value ?? null;
    const waiting = queues && queues.reduce((sum, queue) => sum + queue.waiting, 0);
    return {
      ...autoscaling(processes, waiting),
      processes,
      queues:
        queues &&
        queues.map(({ job_class, waiting: jobs, backlog_seconds, workers, slots }) => {
          return { job_class, waiting: jobs, backlog_seconds, workers, slots };
        }),
    };
  }
}
