/**
 * FileStore in a bucket of an S3-compatible object store. Keys begin with the tenant, as paths do on a disk. An object
 * appears whole with the request that completes it.
 */
import type { Readable } from 'node:stream';
import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  type ListMultipartUploadsCommandOutput,
  type MultipartUpload,
  paginateListObjectsV2,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { APP_CONFIG } from '#libs/config';
import { TenantContextHolder } from '#libs/tenancy';
import { StorageRefusedError } from '../file.error';
import { tenantPath } from '../file-key';
import {
  type ByteRange,
  type FileLink,
  FileStore,
  type FileStat,
  type LinkOptions,
  type ListedFile,
  type PutOptions,
  type StoredFile,
} from '../file-store';
import { attachment } from '../link/attachment';
import { linkExpiry } from '../link/link-expiry';
import { measured } from '../measured-content';
import { s3Client, type S3Config } from './s3-connection';
import { downloadObject } from './s3-download';
import { isMissingObject, NO_BUCKET, translate } from './s3.error';
import { MAX_PARTS, uploadObject } from './s3-upload';

/** Written at boot to prove that writing is allowed; no tenant's key can be this. */
const PROBE_KEY = 'stockyard-probe';
const PROBE = 'Written at each start, to prove that it is allowed.\n';
const DELETIONS_AT_ONCE = 16;

@Injectable()
export class S3FileStore extends FileStore implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Storage');
  private readonly client: S3Client;
  /** Sends nothing: it signs for the address that clients use. */
  private readonly signer: S3Client;
  private readonly bucket: string;

  constructor(
    private readonly tenant: TenantContextHolder,
    @Inject(APP_CONFIG) private readonly config: S3Config,
  ) {
    super();
    this.client = s3Client(config);
    this.signer = s3Client(config, config.STORAGE_S3_LINK_ENDPOINT || config.STORAGE_S3_ENDPOINT);
    this.bucket = config.STORAGE_S3_BUCKET;
  }

  /** A store that refuses ends the boot with what to check. One that is away does not: files are not all there is. */
  async onModuleInit(): Promise<void> {
    try {
      const probe = new PutObjectCommand({ Bucket: this.bucket, Key: PROBE_KEY, Body: PROBE });
      await this.send(() => this.client.send(probe, { abortSignal: this.patience() }));
    } catch (error) {
      if (error instanceof StorageRefusedError) throw new Error(error.reason, { cause: error });
      this.logger.warn({ err: error }, 'The object store does not answer; files are refused until it does.');
    }
  }

  /** After the last request: it would cut off uploads and downloads. */
  onApplicationShutdown(): void {
    this.client.destroy();
    this.signer.destroy();
  }

  override async put(key: string, content: AsyncIterable<Uint8Array>, { maxBytes }: PutOptions): Promise<StoredFile> {
    const { STORAGE_S3_PART_BYTES: partBytes, STORAGE_S3_TIMEOUT_MS: giveUpMs } = this.config;
    const passing = measured(content, Math.min(maxBytes, partBytes * MAX_PARTS));
    const path = this.path(key);
    const { client, bucket } = this;
    await uploadObject({ client, bucket, path, content: passing, partBytes, giveUpMs });
    return passing.measure();
  }

  override open(key: string, range?: ByteRange): Promise<Readable> {
    return downloadObject({ client: this.client, bucket: this.bucket, path: this.path(key), range });
  }

  /** The object store serves it: presigned, so neither the api nor its limits and counts see the download. */
  override async link(key: string, { filename, contentType }: LinkOptions): Promise<FileLink> {
    const command = new GetObjectCommand({
      Bucket: this.bucket,
      Key: this.path(key),
      ResponseContentType: contentType,
      ResponseContentDisposition: attachment(filename),
    });
    const expiresAt = linkExpiry(this.config);
    const signingDate = new Date(expiresAt.getTime() - this.config.FILE_LINK_TTL_SECONDS * 1_000);
    const expiresIn = this.config.FILE_LINK_TTL_SECONDS;
    return { url: await getSignedUrl(this.signer, command, { expiresIn, signingDate }), expiresAt };
  }

  override async stat(key: string): Promise<FileStat | undefined> {
    const command = new HeadObjectCommand({ Bucket: this.bucket, Key: this.path(key) });
    try {
      const { ContentLength: bytes = 0, LastModified: modifiedAt = new Date(0) } = await this.client.send(command);
      return { bytes, modifiedAt };
    } catch (error) {
      if (isMissingObject(error)) return undefined;
      throw translate(error);
    }
  }

  override delete(key: string): Promise<void> {
    return this.remove(this.path(key));
  }

  override async *list(): AsyncGenerator<ListedFile> {
    const own = this.own();
    for await (const { path, bytes, modifiedAt } of this.objects(own)) {
      yield { key: path.slice(own.length), bytes, modifiedAt };
    }
  }

  override async deleteAll(folder?: string): Promise<number> {
    const below = folder === undefined ? this.own() : `${this.path(folder)}/`;
    for await (const upload of this.uploads(below)) await this.abort(upload);
    let deleted = 0;
    const batch: Promise<void>[] = [];
    for await (const { path } of this.objects(below)) {
      batch.push(this.remove(path));
      deleted += 1;
      if (batch.length === DELETIONS_AT_ONCE) await Promise.all(batch.splice(0));
    }
    await Promise.all(batch);
    return deleted;
  }

  override async removeAbandoned(olderThanMs: number): Promise<void> {
    const before = Date.now() - olderThanMs;
    for await (const upload of this.uploads(this.own())) {
      if ((upload.Initiated?.getTime() ?? 0) <= before) await this.abort(upload);
    }
  }

  /** Whether the bucket answers these credentials; that they may write was proven at boot. */
  override async check(): Promise<void> {
    try {
      await this.client.send(new HeadBucketCommand({ Bucket: this.bucket }), { abortSignal: this.patience() });
    } catch (error) {
      throw isMissingObject(error) ? new StorageRefusedError(NO_BUCKET, error) : translate(error);
    }
  }

  private async *objects(prefix: string): AsyncGenerator<FileStat & { readonly path: string }> {
    const pages = paginateListObjectsV2({ client: this.client }, { Bucket: this.bucket, Prefix: prefix });
    for (;;) {
      const page = await this.send(() => pages.next());
      if (page.done) return;
      for (const { Key = '', Size = 0, LastModified = new Date(0) } of page.value.Contents ?? []) {
        yield { path: Key, bytes: Size, modifiedAt: LastModified };
      }
    }
  }

  private async *uploads(prefix: string): AsyncGenerator<MultipartUpload> {
    let after: Pick<ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'> | undefined = {};
    while (after) {
      const command = new ListMultipartUploadsCommand({ Bucket: this.bucket, Prefix: prefix, ...after });
      const page: ListMultipartUploadsCommandOutput = await this.send(() => this.client.send(command));
      yield* page.Uploads ?? [];
      after = page.IsTruncated ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined;
    }
  }

  /** Of an upload that has ended meanwhile: no error. */
  private async abort({ Key, UploadId }: MultipartUpload): Promise<void> {
    const command = new AbortMultipartUploadCommand({ Bucket: this.bucket, Key, UploadId });
    try {
      await this.client.send(command);
    } catch (error) {
      if ((error as Error).name !== 'NoSuchUpload') throw translate(error);
    }
  }

  private async remove(path: string): Promise<void> {
    await this.send(() => this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: path })));
  }

  private async send<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw translate(error);
    }
  }

  /** For questions that nobody waits for longer. */
  private patience(): AbortSignal {
    return AbortSignal.timeout(this.config.STORAGE_S3_TIMEOUT_MS);
  }

  private own(): string {
    return `${this.tenant.current().organizationId}/`;
  }

  private path(key: string): string {
    return tenantPath(this.tenant.current().organizationId, key);
  }
}
