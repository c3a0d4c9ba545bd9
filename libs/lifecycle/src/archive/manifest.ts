/**
 * The archive of a tenant: a gzipped tar with `manifest.json` first, then `tables/{table}.ndjson` in the order of foreign
 * keys, then `files/{key}`. The manifest tells what the rest must be, to the byte.
 */
import { closed, Fields, shape, type ShapeType } from '#libs/kernel';
import { LIMIT_COLUMNS } from '#libs/database';
import { ORGANIZATION_STATES, TIERS } from '#libs/tenancy';
import Type from 'typebox';

/** Rises when archives of the release before cannot be read any more. */
export const ARCHIVE_VERSION = 1;
export const ARCHIVE_FORMAT = 'stockyard-tenant';
export const MANIFEST_FILE = 'manifest.json';
/** Where a tenant's store keeps what operations write; no part of an archive. */
export const OPERATIONS_FOLDER = 'operations';

const COUNT = Type.Integer({ minimum: 0 });
const SHA256 = Type.String({ pattern: '^[0-9a-f]{64}$' });
const CONTENT = { file: Type.String({ maxLength: 500 }), bytes: COUNT, sha256: SHA256 };
const LIMIT = Fields.nullable(COUNT);

const ORGANIZATION = Type.Object({
  id: Fields.id(),
  slug: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{1,62}$' }),
  name: Type.String({ minLength: 1, maxLength: 200 }),
  tier: Type.Enum([...TIERS]),
  region: Type.String({ maxLength: 63 }),
  state: Type.Enum([...ORGANIZATION_STATES]),
  epoch: COUNT,
  version: COUNT,
  created_at: Type.String({ maxLength: 64 }),
  /** Overrides of the tier's limits, by column. */
  limits: Fields.nullable(Type.Object(Object.fromEntries(Object.values(LIMIT_COLUMNS).map((name) => [name, LIMIT])))),
});

export const MANIFEST = shape(
  closed({
    format: Type.Literal(ARCHIVE_FORMAT),
    version: Type.Integer(),
    /** Name of the newest migration of the database that it was made from. */
    schema: Type.String({ maxLength: 200 }),
    created_at: Fields.timestamp(),
    organization: ORGANIZATION,
    tables: Type.Array(
      closed({ name: Type.String({ maxLength: 63 }), columns: Type.Array(Type.String()), rows: COUNT, ...CONTENT }),
    ),
    files: Type.Array(closed({ key: Type.String({ maxLength: 400 }), ...CONTENT })),
  }),
);

export type Manifest = ShapeType<typeof MANIFEST>;
export type ManifestTable = Manifest['tables'][number];
export type ManifestFile = Manifest['files'][number];
export type ArchivedOrganization = Manifest['organization'];

/** Keys of what an operation keeps in the store of its tenant. */
export const archiveKey = (operationId: string): string => `${OPERATIONS_FOLDER}/${operationId}.tgz`;
export const spoolFolder = (operationId: string): string => `${OPERATIONS_FOLDER}/${operationId}`;
export const tableFile = (table: string): string => `tables/${table}.ndjson`;
