/** The lanes to the databases: how often, how long, how they ended; and how long was waited for a connection. */
import { Inject, Injectable, Optional } from '@nestjs/common';
import { LaneWatch } from '#libs/database';
import { MetricsRegistry } from './metrics-registry';

const MS_PER_SECOND = 1_000;
const LANE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const WAIT_SECONDS = [0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

@Injectable()
export class LaneMetrics {
  constructor(registry: MetricsRegistry, @Optional() @Inject(LaneWatch) watch: LaneWatch | null) {
    const lane = registry.histogram({
      name: 'stockyard_lane_duration_seconds',
      help: 'Uses of the lanes to tenant data: done, declined by a rule, refused (something was out or used up) or failed.',
      labels: ['lane', 'access', 'outcome'],
      buckets: LANE_SECONDS,
    });
    const pool = registry.histogram({
      name: 'stockyard_pool_wait_seconds',
      help: 'How long it took to get a connection of the app role, or to give up.',
      labels: ['shard', 'node'],
      buckets: WAIT_SECONDS,
    });
    const share = registry.histogram({
      name: 'stockyard_share_wait_seconds',
      help: 'How long work waited for one of its tenant’s own connections, all of which were in use.',
      labels: [],
      buckets: WAIT_SECONDS,
    });
    watch?.watch({
      used: (use) => {
        const access = use.isRead ? 'read' : 'write';
        lane({ lane: use.lane, access, outcome: use.outcome }, use.ms / MS_PER_SECOND);
      },
      checkedOut: ({ shard, node, ms }) => pool({ shard, node }, ms / MS_PER_SECOND),
      shared: (ms) => share({}, ms / MS_PER_SECOND),
    });
  }
}
