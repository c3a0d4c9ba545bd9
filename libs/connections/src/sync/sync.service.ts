/** Asks for a sync of a connection. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG } from '#libs/config';
import { IdempotentReply } from '#libs/idempotency';
import { newId, StockyardError } from '#libs/kernel';
import { JobService, jobView, type JobView } from '#libs/queues';
import type { Breaker } from '../breaker/breaker';
import { breakerOf, type Connection } from '../connection';
import { ConnectionRepository } from '../connection.repository';
import { type BreakerConfig, syncBreaker } from './sync-breaker';
import { INVENTORY_SYNC } from './sync.job';

const ACCEPTED = 202;
const FOUND = 200;

@Injectable()
export class SyncService {
  private readonly breaker: Breaker;

  constructor(
    private readonly connections: ConnectionRepository,
    private readonly jobs: JobService,
    @Inject(APP_CONFIG) config: BreakerConfig,
  ) {
    this.breaker = syncBreaker(config);
  }

  /**
   * 202 with the new job, or 200 with the one that is under way. Throws `connection_paused` and `connection_breaker_open` (409), the latter with the
   * time of the next try.
   */
  async request(id: string): Promise<IdempotentReply<JobView>> {
    const connection = await this.connections.getSource(id);
    if (connection.state === 'paused') throw paused();
    const jobId = newId();
    const admission = this.breaker.admit(breakerOf(connection), jobId);
    if (admission.kind === 'wait' && connection.breaker_state === 'open') throw breakerOpen(connection, admission.ms);
    const newJob = { definition: INVENTORY_SYNC, payload: { connection_id: id }, id: jobId };
    const { job, isNew } = await this.jobs.createOrFind(newJob);
    return new IdempotentReply(isNew ? ACCEPTED : FOUND, jobView(job), false);
  }
}

function paused(): StockyardError {
  return new StockyardError({
    code: 'connection_paused',
    category: 'conflict',
    message: 'The connection is paused; resume it first.',
  });
}

function breakerOpen({ breaker_retry_at, breaker_failures }: Connection, ms: number): StockyardError {
  return new StockyardError({
    code: 'connection_breaker_open',
    category: 'conflict',
    message: `The outside system has failed ${breaker_failures} times in a row; it is asked again at retry_at. Resuming the connection closes the breaker.`,
    details: { retry_at: breaker_retry_at?.toISOString() ?? null },
    retryAfterSeconds: ms / 1_000,
  });
}
