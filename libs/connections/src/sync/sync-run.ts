/**
 * One run of a sync: page after page, each taken in by one batch (stock, line errors, cursor of the connection, breaker,
 * checkpoint of the job). Before each page the connection is read again, so that a pause, a deletion or a change counts from the
 * next page on. Ends its turn before the slot is held for long; the next run goes on from the checkpoint.
 */
import type { Statement } from '#libs/database';
import { stockCountStatements } from '#libs/inventory';
import { StockyardError } from '#libs/kernel';
import { insertLineErrors, type JobContext } from '#libs/queues';
import type { Breaker, BreakerChange } from '../breaker/breaker';
import { breakerOf, type Source } from '../connection';
import type { ConnectionRepository } from '../connection.repository';
import { headersOf } from '../credentials/credentials';
import type { SealedCredentials } from '../credentials/sealed-credentials.service';
import { type CursorTrail, followed, trailFrom } from './cursor-trail';
import { type FeedClient, TRIES } from './feed-client';
import { checkedRows, type FeedPage } from './feed-page';
import { SourceFailure } from './source.error';
import { connectionGone, putOff, sourceFailed, turnOver } from './sync.error';
import type { SyncOutcome, SyncPayload, SyncResult } from './sync.job';
import { advanceConnection, CONNECTION_MOVED, COUNT_PROBLEMS, turnBreaker } from './sync.statements';

export interface SyncCheckpoint {
  readonly pages: number;
  /** The cursor that was left behind, and the way there. */
  readonly cursor: string | null;
  readonly trail: CursorTrail;
  /** Whether the outside system has refused a cursor in this sync: it may do so once. */
  readonly restarted: boolean;
  readonly ended: SyncOutcome | null;
}

export interface SyncTools {
  readonly connections: ConnectionRepository;
  readonly sealed: SealedCredentials;
  readonly feed: FeedClient;
  readonly breaker: Breaker;
  /** Pages of one sync: an outside system without an end does not keep a sync busy for ever. */
  readonly maxPages: number;
  /** Longest that a run keeps its slot, but for the page at hand. */
  readonly turnMs: number;
}

type Context = JobContext<SyncPayload, SyncCheckpoint>;

export class SyncRun {
  constructor(
    private readonly context: Context,
    private readonly tools: SyncTools,
  ) {}

  async toTheEnd(): Promise<SyncResult> {
    const began = performance.now();
    for (let isFirst = true; ; isFirst = false) {
      const { ended } = this.context.checkpoint ?? { ended: null };
      if (ended) return this.result(ended);
      if (!isFirst && performance.now() - began > this.tools.turnMs) throw turnOver();
      const ending = await this.step();
      if (ending) return ending;
    }
  }

  /** One page, or a reason to end. undefined: look again. */
  private async step(): Promise<SyncResult | undefined> {
    const source = await this.tools.connections.findSource(this.context.payload.connection_id);
    if (!source) throw connectionGone();
    if (source.state === 'paused') return this.result('paused');
    const breaker = breakerOf(source);
    const admission = this.tools.breaker.admit(breaker, this.context.jobId);
    if (admission.kind === 'wait') {
      return { ...this.result('breaker_open'), retry_at: source.breaker_retry_at!.toISOString() };
    }
    if (admission.kind === 'trial') {
      this.context.log('info', 'The outside system has failed before; one try.');
      await this.commit(source, [this.turn(source, admission.change)]);
      return undefined;
    }
    await this.pull(source, breaker.state === 'half_open' ? 1 : TRIES);
    return undefined;
  }

  private async pull(source: Source, tries: number): Promise<void> {
    const { signal } = this.context;
    try {
      const headers = headersOf(this.tools.sealed.open(source.id, source.credentials));
      const page = await this.tools.feed.page({ url: source.url, cursor: source.cursor, headers, tries, signal });
      await (page === 'gone' ? this.startOver(source) : this.takeIn(source, page));
    } catch (error) {
      this.context.stopIfAsked();
      const failure = failureOf(error);
      if (!failure) throw error;
      await this.fail(source, failure);
    }
  }

  private async takeIn(source: Source, page: FeedPage): Promise<void> {
    const { jobId, progress } = this.context;
    const before = this.before(source);
    const trail = page.hasMore && page.nextCursor !== null ? followed(before.trail, page.nextCursor) : before.trail;
    if (!trail || (page.hasMore && page.nextCursor === source.cursor)) throw circle();
    const { counts, errors } = checkedRows(page.rows, progress.processed, source.location);
    const pages = before.pages + 1;
    const ended = page.hasMore ? (pages < this.tools.maxPages ? null : 'page_limit') : 'completed';
    if (before.pages === 0)
      this.context.log('info', `Begins ${source.cursor === null ? 'from the beginning' : 'at the kept cursor'}.`);
    if (ended === 'page_limit') this.context.log('warn', `${pages} pages are enough for once; the next sync goes on.`);
    const statements = [
      advanceConnection(...read(source), page.nextCursor, jobId, ended === 'completed'),
      ...(errors.length > 0 ? [insertLineErrors(jobId, JSON.stringify(errors))] : []),
      ...(counts.length > 0 ? this.counted(counts) : []),
    ];
    const taken = { rows: page.rows.length, failed: errors.length };
    await this.commit(source, statements, { ...before, pages, cursor: page.nextCursor, trail, ended }, taken);
  }

  private counted(counts: Parameters<typeof stockCountStatements>[0]['counts']): Statement[] {
    const { jobId } = this.context;
    const reference = { type: 'job', id: jobId };
    const origin = { actor: { type: 'job', id: jobId }, reason: 'sync', occurredAt: new Date(), reference } as const;
    return stockCountStatements({ counts, origin, problems: COUNT_PROBLEMS });
  }

  private async startOver(source: Source): Promise<void> {
    const before = this.before(source);
    if (source.cursor === null || before.restarted) {
      throw new SourceFailure('cursor_refused', 'The server answered 410 to its own cursor, or to none.', {
        isTransient: false,
      });
    }
    this.context.log('warn', 'The server does not know the cursor any more (410); it starts again from the beginning.');
    const next = { ...before, cursor: null, trail: trailFrom(null), restarted: true };
    await this.commit(source, [advanceConnection(...read(source), null, this.context.jobId, false)], next);
  }

  /** Keeps the failure with the connection, once; then throws what it means for the job. */
  private async fail(source: Source, failure: SourceFailure): Promise<void> {
    const change = this.tools.breaker.failed(breakerOf(source), failure.retryAfterMs);
    this.context.log(failure.isTransient ? 'warn' : 'error', failure.message);
    if (!(await this.commit(source, [this.turn(source, change, failure)]))) return;
    const isOver = !failure.isTransient || change.state === 'open';
    throw isOver ? sourceFailed(failure, change) : putOff(failure, this.tools.breaker.pauseBefore(change.failures));
  }

  private turn(source: Source, change: BreakerChange, failure?: SourceFailure): Statement {
    const { state, failures, openings, trial, pauseMs } = change;
    const kept = [failure?.code ?? null, failure?.message ?? null];
    return turnBreaker(...read(source), this.context.jobId, state, failures, openings, trial, pauseMs, ...kept);
  }

  /** The checkpoint as it stands; a cursor that somebody else has set begins a new trail. */
  private before({ cursor }: Source): SyncCheckpoint {
    const { checkpoint } = this.context;
    if (!checkpoint) return { pages: 0, cursor, trail: trailFrom(cursor), restarted: false, ended: null };
    return checkpoint.cursor === cursor ? checkpoint : { ...checkpoint, cursor, trail: trailFrom(cursor) };
  }

  /** False where the connection has changed since it was read: nothing was written. */
  private async commit(
    source: Source,
    statements: readonly Statement[],
    checkpoint: SyncCheckpoint = this.before(source),
    taken = { rows: 0, failed: 0 },
  ): Promise<boolean> {
    const { processed, failed } = this.context.progress;
    const counts = { processed: processed + taken.rows, failed: failed + taken.failed, total: null };
    try {
      await this.context.commit({ checkpoint, ...counts, statements });
      return true;
    } catch (error) {
      if (error instanceof StockyardError && error.code === CONNECTION_MOVED) return false;
      throw error;
    }
  }

  private result(outcome: SyncOutcome): SyncResult {
    const { payload, progress, checkpoint } = this.context;
    const { processed: rows, failed } = progress;
    return { connection_id: payload.connection_id, outcome, pages: checkpoint?.pages ?? 0, rows, failed };
  }
}

const read = ({ id, version, revision }: Source): [string, number, number] => [id, version, revision];

const circle = () =>
  new SourceFailure('cursor_stuck', 'The server says has_more and names a cursor that was there before.', {
    isTransient: false,
  });

function failureOf(error: unknown): SourceFailure | undefined {
  if (error instanceof SourceFailure) return error;
  if (!(error instanceof StockyardError) || error.code !== 'secret_unreadable') return undefined;
  return new SourceFailure(error.code, error.message, { isTransient: false, cause: error });
}
