/** The client of an object store, from configuration. Nothing is taken from the environment or the files of other tools. */
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { AppConfig } from '#libs/config';

export type S3Config = Pick<
  AppConfig,
  | 'STORAGE_S3_BUCKET'
  | 'STORAGE_S3_ENDPOINT'
  | 'STORAGE_S3_LINK_ENDPOINT'
  | 'STORAGE_S3_REGION'
  | 'STORAGE_S3_ACCESS_KEY_ID'
  | 'STORAGE_S3_SECRET_ACCESS_KEY'
  | 'STORAGE_S3_PATH_STYLE'
  | 'STORAGE_S3_TIMEOUT_MS'
  | 'STORAGE_S3_PART_BYTES'
  | 'FILE_LINK_TTL_SECONDS'
>;

/** Of a request; a second and third try go to whatever else answers at the address. */
const ATTEMPTS = 3;
const MAX_SOCKETS = 64;

export function s3Client(config: S3Config, endpoint = config.STORAGE_S3_ENDPOINT): S3Client {
  const timeoutMs = config.STORAGE_S3_TIMEOUT_MS;
  const options: S3ClientConfig = {
    region: config.STORAGE_S3_REGION,
    forcePathStyle: config.STORAGE_S3_PATH_STYLE === 'on',
    credentials: {
      accessKeyId: config.STORAGE_S3_ACCESS_KEY_ID,
      secretAccessKey: config.STORAGE_S3_SECRET_ACCESS_KEY,
    },
    maxAttempts: ATTEMPTS,
    // Trailing checksums are beyond many compatible stores. Each part's SHA-256 is in its signature anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: timeoutMs,
      socketTimeout: timeoutMs, // of silence, so a large part on a slow line may take its time
      httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    },
  };
  if (endpoint !== '') options.endpoint = endpoint;
  return new S3Client(options);
}
