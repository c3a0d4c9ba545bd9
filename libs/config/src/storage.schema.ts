/** Where uploaded and produced files are kept: docs/files.md. */
import Type from 'typebox';
import { count, optionalUrl } from './setting';

export const STORAGE_SETTINGS = {
  STORAGE_DIR: Type.String({
    default: '.stockyard/files',
    description: 'Directory of uploaded and produced files, unless STORAGE_S3_BUCKET names a bucket for them.',
  }),
  STORAGE_S3_BUCKET: Type.String({
    pattern: '^(|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$',
    default: '',
    description: 'Bucket of an S3-compatible object store for the files. Empty: STORAGE_DIR.',
  }),
  STORAGE_S3_ENDPOINT: optionalUrl('Address of the object store. Empty: AWS in STORAGE_S3_REGION.'),
  STORAGE_S3_LINK_ENDPOINT: optionalUrl(
    'Address at which clients reach the object store, in download links. Empty: STORAGE_S3_ENDPOINT.',
  ),
  STORAGE_S3_REGION: Type.String({
    pattern: '^[a-z0-9-]{1,40}$',
    default: 'us-east-1',
    description: 'Region of the bucket; part of every signature.',
  }),
  STORAGE_S3_ACCESS_KEY_ID: Type.String({ default: '', description: 'Credentials for the bucket; needed with it.' }),
  STORAGE_S3_SECRET_ACCESS_KEY: Type.String({ default: '', description: 'Their secret.' }),
  STORAGE_S3_PATH_STYLE: Type.Enum(['on', 'off'], {
    default: 'off',
    description: '`on`: the bucket is the first part of the path, not of the host name; most stores but AWS want it.',
  }),
  STORAGE_S3_TIMEOUT_MS: count(
    5_000,
    600_000,
    'Longest silence of the object store; after the third try the answer is 503.',
  ),
  STORAGE_S3_PART_BYTES: Type.Integer({
    minimum: 5_242_880,
    maximum: 536_870_912,
    default: 8_388_608,
    description: 'Part of an upload; each upload holds four in memory, and 10,000 are the largest file.',
  }),
};
