/**
 * Runs exports: pages of rows are streamed into a file that appears when it is whole. A run that breaks off leaves
 * nothing behind, and the next one begins anew. One that exceeds `max_storage_bytes` fails for good with `limit_exceeded`.
 */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { TenantDatabase } from '#libs/database';
import { HandlesJob, type JobContext, type JobHandler } from '#libs/queues';
import { type FileRow, FileStore, FORMATS } from '#libs/storage';
import { BULK_EXPORT, exportKey, type ExportRequest } from '../bulk.jobs';
import { EXPORT_SOURCES } from './export-resources';

const PAGE = 1_000;

/** What a finished export says of its file. */
export interface ExportResult {
  readonly resource: string;
  readonly format: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

@Injectable()
@HandlesJob(BULK_EXPORT)
export class ExportHandler implements JobHandler<ExportRequest> {
  constructor(
    private readonly database: TenantDatabase,
    private readonly files: FileStore,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'UPLOAD_LIMIT_BYTES'>,
  ) {}

  async run(context: JobContext<ExportRequest>): Promise<Readonly<Record<string, unknown>> & ExportResult> {
    const { resource, format } = context.payload;
    const key = exportKey(context.jobId, format);
    const file = await this.files.put(key, this.content(context), { maxBytes: this.config.UPLOAD_LIMIT_BYTES });
    return { resource, format, rows: context.progress.processed, bytes: file.bytes, sha256: file.sha256 };
  }

  private async *content(context: JobContext<ExportRequest>): AsyncGenerator<Buffer> {
    const { columns, page, keyOf } = EXPORT_SOURCES[context.payload.resource];
    const writer = FORMATS[context.payload.format];
    yield Buffer.from(writer.head(columns));
    let processed = 0;
    await context.report({ processed, failed: 0, total: null });
    for (let after: readonly string[] | null = null; ;) {
      const rows: FileRow[] = await this.database.statement<FileRow>(page(after, PAGE));
      if (rows.length === 0) return;
      yield Buffer.from(writer.rows(rows, columns));
      processed += rows.length;
      await context.report({ processed, failed: 0, total: null });
      if (rows.length < PAGE) return;
      after = keyOf(rows[rows.length - 1]!);
    }
  }
}
