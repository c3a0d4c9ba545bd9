/**
 * The relay: moves outbox rows into the queues, at least once, shard by shard. Any number of relays may run beside each other.
 *
 * Order. The events of an aggregate (organization_id, aggregate_type, aggregate_id) are published in the order in which their
 * transactions committed, for writers that hold a lock on the aggregate, usually that of its row, from before they insert into
 * the outbox until they commit. Between aggregates there is none. How relays keep it: outbox.repository.ts; what a consumer may
 * make of it: docs/adr/0013-order-of-events.md.
 *
 * A batch that fails is published again as a whole, by whichever relay comes first, and nothing of its aggregates before it.
 * A crash between adding and marking adds again; the job's id makes that one job, and its row one effect.
 */
import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { messagingSecret } from '#libs/kernel';
import { ConsistencyTokens, Directory, type PositionOnShard } from '#libs/tenancy';
import { NO_TRACING, Tracing } from '#libs/tracing';
import { type OutboxMessage, type QueuedWork, TopicRegistry } from '../registry/topic-registry';
import { JobProducer } from './job-producer';
import { OutboxRepository, type Publish, type Published } from './outbox.repository';
import { RelayMetrics } from './relay-metrics';
import { RelayTrace } from './relay-trace';
import { ShardLoop } from './shard-loop';
import { WorkInOrder } from './work-in-order';

const BATCH = 200;
const LOOP = {
  name: 'OutboxRelay',
  batch: BATCH,
  failing: 'The relay cannot publish; outbox rows wait',
  recovered: 'The relay publishes again.',
};

@Injectable()
export class OutboxRelay {
  private readonly logger = new Logger('OutboxRelay');
  private readonly relays: readonly ShardLoop[];
  private readonly tokens: ConsistencyTokens;

  constructor(
    private readonly outbox: OutboxRepository,
    private readonly producer: JobProducer,
    private readonly topics: TopicRegistry,
    private readonly directory: Directory,
    private readonly metrics: RelayMetrics,
    @Inject(APP_CONFIG) config: Pick<AppConfig, 'OUTBOX_POLL_MS' | 'MESSAGING_SECRET' | 'MESSAGING_SECRET_BEFORE'>,
    @Optional() private readonly tracing: Tracing = NO_TRACING,
  ) {
    this.tokens = new ConsistencyTokens(messagingSecret(config));
    this.relays = outbox.shardNames().map((shard) => {
      const step = async () => {
        const { rows, behind } = await this.relayShard(shard);
        return behind > 0 ? 'blocked' : rows;
      };
      return new ShardLoop({ ...LOOP, shard, pollMs: config.OUTBOX_POLL_MS, step });
    });
  }

  start(): void {
    for (const relay of this.relays) relay.start();
  }

  /** There are new rows somewhere: look now. Cheap, and may be called at any rate. */
  wake(): void {
    for (const relay of this.relays) relay.wake();
  }

  /** Finishes the batches at hand and stops. */
  async stop(): Promise<void> {
    await Promise.all(this.relays.map((relay) => relay.stop()));
  }

  /** One batch of each shard. Resolves with the number of rows that were published. */
  async relayOnce(): Promise<number> {
    let published = 0;
    for (const shard of this.outbox.shardNames()) published += (await this.relayShard(shard)).rows;
    return published;
  }

  private relayShard(shard: string): Promise<Published> {
    const publish: Publish = async (messages, position) => {
      const trace = RelayTrace.of(this.tracing, shard, messages);
      try {
        const works = new WorkInOrder();
        for (const message of messages) works.push(message, await this.workOf(message, position, trace));
        for (const wave of works.waves) await this.producer.add(wave);
        trace?.end();
      } catch (error) {
        trace?.end(error);
        throw error;
      }
    };
    return this.metrics.count(shard, () => this.outbox.publishNext(shard, BATCH, publish));
  }

  /** A message that no route can read is logged and passed: it must not hold up the rows behind it. */
  private async workOf(message: OutboxMessage, position: PositionOnShard, trace?: RelayTrace): Promise<QueuedWork[]> {
    const routes = this.topics.routes(message.topic);
    if (routes.length === 0) return [];
    const consistency = await this.sealed(message.organizationId, position);
    return routes.flatMap((route) => {
      try {
        const routed = route(message);
        const work = trace?.handOn(message, routed) ?? routed;
        return [{ ...work, data: { ...work.data, ...(consistency && { consistency }) } }];
      } catch (error) {
        const { id, topic } = message;
        this.logger.error({ outbox_id: id, topic, err: error }, 'Outbox row has no readable work');
        return [];
      }
    });
  }

  /** What whoever does the work has seen: at least the row that caused it. */
  private async sealed(organizationId: string, position: PositionOnShard): Promise<string | undefined> {
    const organization = await this.directory.find(organizationId);
    return organization && this.tokens.seal(organizationId, { ...position, epoch: organization.epoch });
  }
}
