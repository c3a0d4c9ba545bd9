/** What waits in the outbox of each shard, and for how long: work that was promised and that no queue knows of yet. */
import { Injectable } from '@nestjs/common';
import { MetricsRegistry } from '#libs/observability';
import { Collectors } from '../collect/collectors.service';
import { showFigures } from './figure-gauges';
import { ShardMonitors } from './shard-monitors';

/** More are counted as so many: an outage may leave millions, and then nobody wants them counted every few seconds. */
const COUNTED = 100_000;
const WAITING = `
  select waiting::double precision, coalesce(extract(epoch from greatest(now() - oldest, '0')), 0)::double precision as age_seconds
  from outbox_waiting($1)`;

interface Waiting {
  readonly waiting: number;
  readonly age_seconds: number;
}

@Injectable()
export class OutboxGauges {
  constructor(registry: MetricsRegistry, collectors: Collectors, monitors: ShardMonitors) {
    const outbox = collectors.make({
      name: 'outbox',
      sources: () => monitors.eachShard<Waiting>(WAITING, [COUNTED]),
    });
    const rows = async () =>
      (await outbox.values()).flatMap(({ source: shard, value: [found] }) =>
        found ? [{ labels: { shard }, figures: { ...found } }] : [],
      );
    showFigures<keyof Waiting>(registry, ['shard'], rows, [
      {
        figure: 'waiting',
        name: 'stockyard_outbox_waiting_rows',
        help: `Rows of the outbox that are not published; ${COUNTED} stands for as many or more.`,
      },
      {
        figure: 'age_seconds',
        name: 'stockyard_outbox_oldest_age_seconds',
        help: 'Since when the oldest of them waits; 0 where none does.',
      },
    ]);
  }
}
