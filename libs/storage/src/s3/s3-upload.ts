/**
 * One file on its way into the bucket. States: sending → completed | given up. Up to one part it is one request; beyond, a
 * multipart upload, of which nothing is seen before it is completed. Parts are sent while the next is read, so memory holds
 * PARTS_AT_ONCE of them and the one that fills.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Readable } from 'node:stream';
import { AbortMultipartUploadCommand, type S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { translate } from './s3.error';

const PARTS_AT_ONCE = 2;

export interface UploadOrder {
  readonly client: S3Client;
  readonly bucket: string;
  /** Whole, with the tenant. */
  readonly path: string;
  readonly content: AsyncIterable<Uint8Array>;
  readonly partBytes: number;
  /** Longest wait for a store that is told to forget the parts; what it keeps then, upkeep removes. */
  readonly giveUpMs: number;
}

/** The store's limit of parts in one upload. */
export const MAX_PARTS = 10_000;

/** Rejects with what the content threw, or with `storage_unavailable`, after the store was told to forget the parts. */
export async function uploadObject(order: UploadOrder): Promise<void> {
  const { client, bucket, path, partBytes } = order;
  let failure: unknown;
  const body = Readable.from(
    inThisContext(order.content, (error) => (failure = error)),
    { highWaterMark: 1 },
  );
  const upload = new Upload({
    client,
    params: { Bucket: bucket, Key: path, Body: body },
    partSize: partBytes,
    queueSize: PARTS_AT_ONCE,
    leavePartsOnError: true, // it would wait for its abort as long as for anything else
  });
  try {
    await upload.done();
  } catch (error) {
    body.destroy();
    if (upload.uploadId !== undefined) await forgetParts(order, upload.uploadId);
    throw failure ?? translate(error);
  }
}

async function forgetParts({ client, bucket, path, giveUpMs }: UploadOrder, uploadId: string): Promise<void> {
  const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key: path, UploadId: uploadId });
  await client.send(command, { abortSignal: AbortSignal.timeout(giveUpMs) }).catch(() => undefined);
}

/** Content may read the tenant's rows: each step runs in the context of the call, whoever asks for it. */
async function* inThisContext(
  content: AsyncIterable<Uint8Array>,
  failed: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  const here = AsyncLocalStorage.snapshot();
  const source = content[Symbol.asyncIterator]();
  const next = (): Promise<IteratorResult<Uint8Array>> =>
    here(() => source.next()).catch((error: unknown) => {
      failed(error);
      throw error;
    });
  try {
    for (let step = await next(); !step.done; step = await next()) yield step.value;
  } finally {
    await here(() => source.return?.());
  }
}
