/** The jobs of this library: what they are given, and where their files are. */
import { closed, shape, type ShapeType } from '#libs/kernel';
import { defineJob } from '#libs/queues';
import { FORMATS, ROW_FORMATS, type RowFormat } from '#libs/storage';
import Type from 'typebox';

export const EXPORT_RESOURCES = ['products', 'stock_levels', 'stock_movements', 'orders', 'order_lines'] as const;
export type ExportResource = (typeof EXPORT_RESOURCES)[number];

/** The digest names the content in the audit trail; the file itself is found by the job's id. */
const IMPORT = shape(
  closed({ sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }), bytes: Type.Integer({ minimum: 0 }) }),
);

export const CREATE_EXPORT = shape(
  closed({
    resource: Type.Enum([...EXPORT_RESOURCES], { description: 'What to export; all of it.' }),
    format: Type.Enum([...ROW_FORMATS], { description: 'One JSON object a line, or CSV with a header.' }),
  }),
);
export type ExportRequest = ShapeType<typeof CREATE_EXPORT>;

/** Long files take long: a run that is cut off goes on from its checkpoint. */
const LONG_MS = 6 * 3_600_000;

export const BULK_IMPORT = defineJob({
  type: 'bulk.import',
  class: 'bulk',
  version: 1,
  payload: IMPORT,
  timeoutMs: LONG_MS,
  cost: 10,
});

/** Key of the produced file of an export job. */
export const exportKey = (jobId: string, format: RowFormat): string => `exports/${jobId}.${format}`;

/** Reads only, so it runs while the organization is suspended. */
export const BULK_EXPORT = defineJob({
  type: 'bulk.export',
  class: 'high',
  version: 1,
  payload: CREATE_EXPORT,
  timeoutMs: LONG_MS,
  cost: 5,
  idempotency: 'repeatable',
  writes: false,
  creatable: true,
  file: (id, { resource, format }) => ({
    key: exportKey(id, format),
    filename: `${resource}-${id}.${format}`,
    contentType: FORMATS[format].contentType,
  }),
  schedulable: true,
});

export const BULK_JOBS = [BULK_IMPORT, BULK_EXPORT] as const;

/** Key of the uploaded file of an import job. */
export const importKey = (jobId: string): string => `imports/${jobId}.csv`;
