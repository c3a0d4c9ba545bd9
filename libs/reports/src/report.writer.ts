/**
 * Writes a report: products in order of their id, some hundred at a time, into a file that appears when it is whole. A run that
 * breaks off leaves nothing behind, and the next one begins anew. Progress counts products.
 */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { type Statement, TenantDatabase, tenantRead } from '#libs/database';
import { StockyardError } from '#libs/kernel';
import type { JobContext } from '#libs/queues';
import { type FileRow, FileStore, FORMATS, type RowFormat } from '#libs/storage';
import { reportKey } from './report.jobs';
import type { ProductRange, ReportSource } from './report-source';

const PAGE = 200;
/** Rows that a page may have come to; it has fewer products where each may have many rows. */
const PAGE_ROWS = 10_000;
const FIRST = '00000000-0000-0000-0000-000000000000';

const countProducts = tenantRead(
  'report_products_count',
  'select count(*) as total from products where organization_id = $1',
);
/** The last of the next products after one, and how many they are. */
const nextProducts = tenantRead(
  'report_products_next',
  `select (array_agg(id order by id desc))[1] as last, count(*) as products
   from (select id from products where organization_id = $1 and id > $2::uuid order by id limit $3) page having count(*) > 0`,
);
const knowsZone = tenantRead(
  'report_time_zone',
  'select $1::uuid as organization from pg_timezone_names where lower(name) = lower($2)',
);

const pageOf = ({ rowsPerProduct = 1 }: ReportSource): number =>
  Math.min(PAGE, Math.max(1, Math.floor(PAGE_ROWS / rowsPerProduct)));

interface ReportPayload {
  readonly format: RowFormat;
  readonly time_zone?: string | undefined;
}

@Injectable()
export class ReportWriter {
  constructor(
    private readonly database: TenantDatabase,
    private readonly files: FileStore,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'UPLOAD_LIMIT_BYTES'>,
  ) {}

  /** Resolves with the result of the job. */
  async write(context: JobContext<ReportPayload>, source: ReportSource): Promise<Readonly<Record<string, unknown>>> {
    const { format, time_zone: zone } = context.payload;
    if (zone !== undefined) await this.requireZone(zone);
    const tally = { rows: 0 };
    const key = reportKey(context.jobId, format);
    const content = this.content(context, source, tally);
    const file = await this.files.put(key, content, { maxBytes: this.config.UPLOAD_LIMIT_BYTES });
    return { format, ...tally, bytes: file.bytes, sha256: file.sha256, ...source.summary?.result() };
  }

  private async *content(
    context: JobContext<ReportPayload>,
    source: ReportSource,
    tally: { rows: number },
  ): AsyncGenerator<Buffer> {
    const writer = FORMATS[context.payload.format];
    const text = async (statement: Statement): Promise<Buffer> => {
      const rows = await this.rows(statement, source);
      tally.rows += rows.length;
      return Buffer.from(writer.rows(rows, source.columns));
    };
    yield Buffer.from(writer.head(source.columns));
    const [counted] = await this.database.statement<{ total: number }>(countProducts());
    const { total } = counted!;
    let processed = 0;
    await context.report({ processed, failed: 0, total });
    for await (const { range, products } of this.ranges(pageOf(source))) {
      yield await text(source.products(range));
      processed += products;
      await context.report({ processed, failed: 0, total: Math.max(total, processed) });
    }
    if (source.others) yield await text(source.others);
  }

  private async *ranges(limit: number): AsyncGenerator<{ readonly range: ProductRange; readonly products: number }> {
    for (let after = FIRST; ;) {
      const [next] = await this.database.statement<{ last: string; products: number }>(nextProducts(after, limit));
      if (!next) return;
      yield { range: { after, upTo: next.last }, products: next.products };
      after = next.last;
    }
  }

  private async rows(statement: Statement, { exact, summary }: ReportSource): Promise<FileRow[]> {
    const found = await this.database.statement<Record<string, string | number | null>>(statement);
    return found.map((row) => {
      const whole: FileRow = {
        ...row,
        ...Object.fromEntries(exact.map((column) => [column, BigInt(row[column]!)])),
      };
      summary?.add(whole);
      return whole;
    });
  }

  /** The database's list may be another than the one the request was checked against. */
  private async requireZone(zone: string): Promise<void> {
    const [known] = await this.database.statement(knowsZone(zone));
    if (known) return;
    throw new StockyardError({
      code: 'unknown_time_zone',
      category: 'unprocessable',
      message: `The database knows no time zone "${zone}".`,
    });
  }
}
