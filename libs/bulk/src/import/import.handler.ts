/**
 * Runs imports: the file is streamed in chunks of 500 lines, and each chunk is one batch that moves the checkpoint,
 * changes products and stock, and records the lines that were left out. Lost workers and second runs change nothing:
 * a chunk is applied once, and counts are absolute.
 */
import { Injectable } from '@nestjs/common';
import { ProductService, productUpsertStatement } from '#libs/catalog';
import type { Statement } from '#libs/database';
import { stockCountStatements } from '#libs/inventory';
import { HandlesJob, insertLineErrors, type JobContext, type JobHandler } from '#libs/queues';
import { FileStore } from '#libs/storage';
import { BULK_IMPORT, importKey } from '../bulk.jobs';
import { CsvReader, type CsvRecord } from '../csv/csv-reader';
import type { Position } from '../csv/line-splitter';
import { type ImportChunk, importChunks } from './import-chunk';
import { importHeader } from './import-header';
import { type ImportPlan, planImport } from './import-plan';
import { COUNT_PROBLEMS, ImportRepository } from './import.repository';

type ImportContext = JobContext<unknown, Position>;

const START: Position = { offset: 0, line: 0 };

@Injectable()
@HandlesJob(BULK_IMPORT)
export class ImportHandler implements JobHandler<unknown, Position> {
  constructor(
    private readonly files: FileStore,
    private readonly imports: ImportRepository,
    private readonly products: ProductService,
  ) {}

  async run(context: ImportContext): Promise<{ lines: number; failed: number }> {
    // A run that was lost may have committed without having come to say so.
    if (context.checkpoint) await this.products.forgetAll();
    const key = importKey(context.jobId);
    const header = await this.first(key);
    const columns = importHeader(header);
    const from = context.checkpoint ?? header!.next;
    const source = await this.files.open(key, { start: from.offset });
    const reader = new CsvReader(source, from, columns.length);
    try {
      for await (const chunk of importChunks(reader.records(), columns, from)) await this.apply(context, chunk);
    } finally {
      source.destroy();
    }
    return { lines: context.progress.processed, failed: context.progress.failed };
  }

  private async first(key: string): Promise<CsvRecord | undefined> {
    const source = await this.files.open(key);
    try {
      for await (const record of new CsvReader(source, START).records()) return record;
      return undefined;
    } finally {
      source.destroy();
    }
  }

  private async apply(context: ImportContext, { rows, errors, next }: ImportChunk): Promise<void> {
    const known = await this.imports.knownProducts([...new Set(rows.map((row) => row.sku))]);
    const plan = planImport(rows, known);
    const refused = [...errors, ...plan.errors];
    const { processed, failed, total } = context.progress;
    const lines = rows.length + errors.length;
    await context.commit({
      checkpoint: next,
      processed: processed + lines,
      failed: failed + refused.length,
      // An estimate that turns out too low rises with what has been read.
      total: total === null ? null : Math.max(total, processed + lines),
      statements: [
        ...(refused.length > 0 ? [insertLineErrors(context.jobId, JSON.stringify(refused))] : []),
        ...effects(context.jobId, plan),
      ],
    });
    if (plan.upserts.length > 0) await this.products.forgetAll();
  }
}

function effects(jobId: string, { upserts, counts }: ImportPlan): Statement[] {
  const reference = { type: 'job', id: jobId };
  const origin = { actor: { type: 'job', id: jobId }, reason: 'import', occurredAt: new Date(), reference } as const;
  return [
    ...(upserts.length > 0 ? [productUpsertStatement(upserts)] : []),
    ...(counts.length > 0 ? stockCountStatements({ counts, origin, problems: COUNT_PROBLEMS }) : []),
  ];
}
