/** Takes an upload in: the file is stored first, then job, outbox row and idempotency record commit in one flight. */
import { Inject, Injectable, Logger } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { IdempotentFlight, type IdempotentReply, recordStatement } from '#libs/idempotency';
import { newId, StockyardError } from '#libs/kernel';
import { JobService, jobView, type JobView } from '#libs/queues';
import { FileStore } from '#libs/storage';
import { BULK_IMPORT, importKey } from '../bulk.jobs';
import { countLines } from './count-lines';
import { keepBeginning, type KeptBeginning } from './first-record';
import { importHeader } from './import-header';

export interface Upload {
  readonly key: string;
  readonly content: AsyncIterable<Uint8Array>;
}

const ACCEPTED = 202;
const record = recordStatement('import_accepted', 'select $5::json as body');

@Injectable()
export class ImportService {
  private readonly logger = new Logger('Imports');

  constructor(
    private readonly files: FileStore,
    private readonly jobs: JobService,
    private readonly flight: IdempotentFlight,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'UPLOAD_LIMIT_BYTES'>,
  ) {}

  /**
   * The same key with the same bytes answers with the same job; with other bytes it is refused. Throws `file_too_large`
   * beyond the upload limit, `limit_exceeded` beyond `max_storage_bytes` and `invalid_csv_header`, and keeps nothing of what it
   * refuses.
   */
  async create({ key, content }: Upload): Promise<IdempotentReply<JobView>> {
    const id = newId();
    const beginning = keepBeginning(content);
    const lines = countLines(beginning);
    const file = await this.files.put(importKey(id), lines, { maxBytes: this.config.UPLOAD_LIMIT_BYTES });
    await this.requireHeader(id, beginning);
    const payload = { sha256: file.sha256, bytes: file.bytes };
    const total = Math.max(0, lines.count - 1); // without the header; an estimate: fields may span lines
    const { job, statements } = this.jobs.prepare({ definition: BULK_IMPORT, payload, id, total });
    try {
      const reply = await this.flight.run<JobView>(
        { key, operation: 'import.create', body: payload },
        { statements, status: ACCEPTED, record: record(JSON.stringify(jobView(job))) },
      );
      if (reply.replayed) await this.forget(id);
      else this.jobs.announce();
      return reply;
    } catch (error) {
      // Refused for certain. After a broken connection the job may exist all the same, and then needs its file.
      if (error instanceof StockyardError && error.category !== 'unavailable') await this.forget(id);
      throw error;
    }
  }

  /** The job would find out too, and have failed. */
  private async requireHeader(id: string, beginning: KeptBeginning): Promise<void> {
    try {
      importHeader(await beginning.firstRecord());
    } catch (error) {
      await this.forget(id);
      throw error;
    }
  }

  private async forget(id: string): Promise<void> {
    await this.files.delete(importKey(id)).catch((error: unknown) => {
      this.logger.warn({ job_id: id, err: error }, 'An upload that is not needed could not be deleted');
    });
  }
}
