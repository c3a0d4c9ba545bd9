/** Replays and discards dead letters of the current tenant, and writes into its audit log who did, in the same transaction. */
import { Injectable } from '@nestjs/common';
import { AuditService } from '#libs/audit';
import { page } from '#libs/http';
import {
  type Beside,
  type DeadLetterQuery,
  DeadLetterService,
  deadLetterView,
  jobView,
  lettersReplayedView,
  type ReplayQuery,
} from '#libs/queues';

@Injectable()
export class AuditedLetters {
  constructor(
    private readonly letters: DeadLetterService,
    private readonly audit: AuditService,
  ) {}

  async list(query: DeadLetterQuery) {
    return page((await this.letters.list(query)).map(deadLetterView), query.limit, ({ id }) => [id]);
  }

  async get(id: string) {
    return deadLetterView(await this.letters.get(id));
  }

  async replay(id: string) {
    return jobView(await this.letters.replay(id, this.entry('dead_letter.replayed')));
  }

  /** Of a job: its letter, if it has one, is replayed. */
  async retry(jobId: string) {
    return jobView(await this.letters.retry(jobId, this.entry('dead_letter.replayed')));
  }

  async replayType(query: ReplayQuery) {
    return lettersReplayedView(await this.letters.replayType(query, this.entry('dead_letter.replayed')));
  }

  discard(id: string): Promise<void> {
    return this.letters.discard(id, this.entry('dead_letter.discarded'));
  }

  private entry(action: string): Beside {
    return (letterId) => [this.audit.statement({ action, targetType: 'dead_letter', targetId: letterId })];
  }
}
