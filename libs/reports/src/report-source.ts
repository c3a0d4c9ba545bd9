/**
 * What a report consists of: columns, and the statement that reads the rows of a range of products. Each range is read by one
 * statement, so all rows of a product are of one moment: no stock on its way from one location to another is counted twice or
 * not at all. Products of different ranges may be of moments that lie apart as long as the report took.
 */
import type { Statement } from '#libs/database';
import type { FileRow } from '#libs/storage';

/** Products by id: after the first and up to the second. */
export interface ProductRange {
  readonly after: string;
  readonly upTo: string;
}

export interface ReportSource {
  readonly columns: readonly string[];
  /** Columns whose values come as text and may be beyond 2^53. */
  readonly exact: readonly string[];
  /** The most rows that a product may have in each of its locations or currencies; 1 where omitted. */
  readonly rowsPerProduct?: number;
  /** Rows of these products. */
  products(range: ProductRange): Statement;
  /** Rows that belong to no product. */
  readonly others?: Statement;
  /** Sees every row, to say something of the whole in the job's result. */
  readonly summary?: { add(row: FileRow): void; result(): Readonly<Record<string, unknown>> };
}
