/** The dead letters of a tenant: looking at them, replaying them, discarding them. */
import { Injectable } from '@nestjs/common';
import { notFound, type Statement, TenantDatabase } from '#libs/database';
import { decodeCursor, isUuid, newId, StockyardError } from '#libs/kernel';
import { JobService, orKeyInUse } from '../jobs/job.service';
import type { Job } from '../jobs/job';
import { logLine } from '../jobs/job-log';
import { LETTER_GONE, replayLetter, requireJobRoom } from '../jobs/job.statements';
import {
  type DeadLetter,
  type DeadLetterQuery,
  MOST_REPLAYED,
  type ReplayedLetters,
  type ReplayQuery,
} from './dead-letter';
import { discardLetter, listLetters, oldestLetters, selectLetter, selectLetterOf } from './dead-letter.statements';

/** Statements that commit with what is done to a letter, such as an entry of the audit log. */
export type Beside = (letterId: string) => readonly Statement[];

const NOTHING: Beside = () => [];

@Injectable()
export class DeadLetterService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly jobs: JobService,
  ) {}

  /** Throws `not_found` for an unknown id and for another tenant's. */
  async get(id: string): Promise<DeadLetter> {
    const [letter] = await this.database.statement<DeadLetter>(selectLetter(id));
    if (!letter) throw notFound();
    return letter;
  }

  /** Up to limit + 1 letters, newest first. */
  list({ limit, type, cursor }: DeadLetterQuery): Promise<DeadLetter[]> {
    return this.database.statement<DeadLetter>(listLetters(type ?? null, idIn(cursor), limit + 1));
  }

  /**
   * Queues the letter's job again, once however often and by whomever it is asked for: it goes on from its checkpoint and has
   * all its attempts again. Throws `not_found` when the letter is not there or no longer, `queue_full` beyond
   * `max_waiting_jobs`, `job_key_in_use` while another open job has its dedupe key.
   */
  replay(id: string, beside = NOTHING): Promise<Job> {
    return this.requeue(id, beside);
  }

  /**
   * Queues a job again that failed or was cancelled. Where it has a dead letter that is replayed, with what belongs beside it.
   * Throws `not_found` for an unknown job, `job_not_retryable` (409) in any other state, `job_key_in_use`, and `queue_full`.
   */
  async retry(jobId: string, beside = NOTHING): Promise<Job> {
    for (;;) {
      const letter = await this.letterOf(jobId);
      try {
        return await (letter === undefined ? this.jobs.retryWithoutLetter(jobId) : this.requeue(letter, beside));
      } catch (error) {
        // Replayed or discarded in between, or written in between: what is there now decides.
        const overtaken = codeOf(error) === (letter === undefined ? 'job_not_retryable' : 'not_found');
        if (!overtaken || (await this.letterOf(jobId)) === letter) throw error;
      }
    }
  }

  /**
   * Replays up to `limit` letters of a type, the oldest first, each by itself. One whose key is taken is passed over; a queue
   * that is full ends it, with an error where nothing was replayed.
   */
  async replayType({ type, limit = MOST_REPLAYED, cursor }: ReplayQuery, beside = NOTHING): Promise<ReplayedLetters> {
    const [after = null, until = null] = cursor === undefined ? [] : decodeCursor(cursor, [isUuid, isUuid]);
    const page = oldestLetters(type, after, until, limit + 1);
    const found = await this.database.statement<{ id: string; until: string }>(page);
    const ids = found.slice(0, limit).map(({ id }) => id);
    const refused: { id: string; code: string }[] = [];
    let replayed = 0;
    let last = after;
    for (const id of ids) {
      try {
        await this.requeue(id, beside);
        replayed += 1;
      } catch (error) {
        const code = codeOf(error);
        if (code === 'job_key_in_use') refused.push({ id, code });
        else if (code === 'queue_full' && replayed > 0) break;
        else if (code !== 'not_found') throw error; // which means that somebody else was faster
      }
      last = id;
    }
    const more = found.length > limit || last !== (ids[ids.length - 1] ?? after);
    return { replayed, refused, next: more ? { after: last!, until: found[0]!.until } : null };
  }

  /** Removes the letter; its job stays failed, and goes with the other finished jobs. Throws `not_found`. */
  async discard(id: string, beside = NOTHING): Promise<void> {
    await this.change([discardLetter(id), ...beside(id)]);
  }

  private async letterOf(jobId: string): Promise<string | undefined> {
    const [letter] = await this.database.statement<Pick<DeadLetter, 'id'>>(selectLetterOf(jobId));
    return letter?.id;
  }

  private async requeue(id: string, beside: Beside): Promise<Job> {
    const again = replayLetter(id, JSON.stringify([logLine('info', 'Queued again.')]), newId());
    const results = await this.change([requireJobRoom(1), again, ...beside(id)]);
    return this.jobs.queuedAgain(results[1]!.rows[0] as Job);
  }

  private async change(statements: readonly Statement[]) {
    try {
      return await this.database.batch(statements);
    } catch (error) {
      if (codeOf(error) === LETTER_GONE) throw notFound();
      throw orKeyInUse(error);
    }
  }
}

function idIn(cursor: string | undefined): string | null {
  return cursor === undefined ? null : decodeCursor(cursor, [isUuid])[0]!;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof StockyardError ? error.code : undefined;
}
