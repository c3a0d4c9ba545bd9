/** Connections of each database pool: in use, idle, and callers that wait for one. */
import { Inject, Injectable, Optional } from '@nestjs/common';
import { CONTROL_POOL, RELAY_POOL } from '#libs/database';
import type { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { MetricsRegistry, type Sample } from './metrics-registry';

function connections(pool: string, { totalCount, idleCount, waitingCount }: Pool): Sample[] {
  return [
    { labels: { pool, state: 'used' }, value: totalCount - idleCount },
    { labels: { pool, state: 'idle' }, value: idleCount },
    { labels: { pool, state: 'waiting' }, value: waitingCount },
  ];
}

@Injectable()
export class PoolGauges {
  constructor(
    registry: MetricsRegistry,
    @Optional() @Inject(DataSource) app: DataSource | null,
    @Optional() @Inject(CONTROL_POOL) control: Pool | null,
    @Optional() @Inject(RELAY_POOL) relay: Pool | null,
  ) {
    const pools: [name: string, pool: Pool | null | undefined][] = [
      ['app', app ? (app.driver as unknown as { master: Pool }).master : null],
      ['control', control],
      ['relay', relay],
    ];
    registry.gauge({
      name: 'stockyard_pool_connections',
      help: 'Connections of a database pool, and callers that wait for one.',
      labels: ['pool', 'state'],
      read: () => pools.flatMap(([name, pool]) => (pool ? connections(name, pool) : [])),
    });
  }
}
