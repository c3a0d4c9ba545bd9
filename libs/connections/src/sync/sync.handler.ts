/** Runs syncs, and counts how they end. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG } from '#libs/config';
import { StockyardError } from '#libs/kernel';
import { HandlesJob, type JobContext, type JobHandler } from '#libs/queues';
import { ConnectionRepository } from '../connection.repository';
import { SealedCredentials } from '../credentials/sealed-credentials.service';
import { FeedClient } from './feed-client';
import { type BreakerConfig, syncBreaker } from './sync-breaker';
import { SyncMetrics } from './sync-metrics';
import { type SyncCheckpoint, SyncRun, type SyncTools } from './sync-run';
import { INVENTORY_SYNC, type SyncPayload, type SyncResult } from './sync.job';

const MAX_PAGES = 10_000;
const TURN_MS = 120_000;

@Injectable()
@HandlesJob(INVENTORY_SYNC)
export class SyncHandler implements JobHandler<SyncPayload, SyncCheckpoint> {
  private readonly tools: SyncTools;

  constructor(
    connections: ConnectionRepository,
    sealed: SealedCredentials,
    feed: FeedClient,
    private readonly metrics: SyncMetrics,
    @Inject(APP_CONFIG) config: BreakerConfig,
  ) {
    const breaker = syncBreaker(config);
    this.tools = { connections, sealed, feed, breaker, maxPages: MAX_PAGES, turnMs: TURN_MS };
  }

  async run(context: JobContext<SyncPayload, SyncCheckpoint>): Promise<SyncResult> {
    try {
      const result = await new SyncRun(context, this.tools).toTheEnd();
      this.metrics.count(result.outcome);
      return result;
    } catch (error) {
      if (error instanceof StockyardError) this.metrics.count(error.category === 'unavailable' ? 'put_off' : 'failed');
      throw error;
    }
  }
}
