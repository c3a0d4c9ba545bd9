/** Breakers of connections that are not closed, for Prometheus; a shard that does not answer shows nothing. */
import { Injectable } from '@nestjs/common';
import { MetricsRegistry, type Sample } from '#libs/observability';
import { Collectors } from '../collect/collectors.service';
import { ShardMonitors } from './shard-monitors';

const TOTALS = 'select state, connections::double precision from connection_breakers()';
const STATES = ['open', 'half_open'] as const;

interface Totals {
  readonly state: (typeof STATES)[number];
  readonly connections: number;
}

@Injectable()
export class BreakerGauge {
  constructor(registry: MetricsRegistry, collectors: Collectors, monitors: ShardMonitors) {
    const totals = collectors.make({ name: 'breakers', sources: () => monitors.eachShard<Totals>(TOTALS) });
    registry.gauge({
      name: 'stockyard_connection_breakers',
      help: 'Connections whose outside system has failed too often: open, or half_open while it is tried.',
      labels: ['shard', 'state'],
      read: async () => (await totals.values()).flatMap(({ source, value }) => samplesOf(source, value)),
    });
  }
}

function samplesOf(shard: string, rows: readonly Totals[]): Sample[] {
  return STATES.map((state) => ({
    labels: { shard, state },
    value: rows.find((row) => row.state === state)?.connections ?? 0,
  }));
}
