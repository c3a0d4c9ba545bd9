/** What a bucket holds: objects, and multipart uploads that have not become one yet. In memory, in order of keys. */
import { createHash, randomUUID } from 'node:crypto';

export interface StoredObject {
  readonly key: string;
  readonly bytes: Buffer;
  readonly etag: string;
  readonly modifiedAt: Date;
}

export interface PendingUpload {
  readonly id: string;
  readonly key: string;
  /** May be set back by a test that wants an old one. */
  initiatedAt: Date;
  readonly parts: Map<number, { readonly bytes: Buffer; readonly etag: string }>;
}

/** S3's least size of every part but the last. */
const LEAST_PART_BYTES = 5 * 1_048_576;

export class BucketError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(code);
  }
}

const etagOf = (bytes: Buffer, suffix = ''): string => `"${createHash('md5').update(bytes).digest('hex')}${suffix}"`;
const byKey = <T extends { key: string }>(all: Iterable<T>, prefix: string): T[] =>
  [...all].filter(({ key }) => key.startsWith(prefix)).sort((a, b) => (a.key < b.key ? -1 : 1));

export class Bucket {
  private readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, PendingUpload>();

  list(prefix: string): StoredObject[] {
    return byKey(this.objects.values(), prefix);
  }

  listUploads(prefix: string): PendingUpload[] {
    return byKey(this.uploads.values(), prefix);
  }

  get(key: string): StoredObject {
    const found = this.objects.get(key);
    if (!found) throw new BucketError(404, 'NoSuchKey');
    return found;
  }

  put(key: string, bytes: Buffer, etag = etagOf(bytes)): StoredObject {
    const object = { key, bytes, etag, modifiedAt: new Date() };
    this.objects.set(key, object);
    return object;
  }

  delete(key: string): void {
    this.objects.delete(key);
  }

  begin(key: string): PendingUpload {
    const upload = { id: randomUUID(), key, initiatedAt: new Date(), parts: new Map() };
    this.uploads.set(upload.id, upload);
    return upload;
  }

  putPart(id: string, key: string, number: number, bytes: Buffer): string {
    const etag = etagOf(bytes);
    this.upload(id, key).parts.set(number, { bytes, etag });
    return etag;
  }

  complete(
    id: string,
    key: string,
    named: readonly { readonly number: number; readonly etag: string }[],
  ): StoredObject {
    const { parts } = this.upload(id, key);
    const bytes = named.map(({ number, etag }, index) => {
      const part = parts.get(number);
      if (!part || part.etag !== etag) throw new BucketError(400, 'InvalidPart');
      if (index > 0 && number <= named[index - 1]!.number) throw new BucketError(400, 'InvalidPartOrder');
      if (index < named.length - 1 && part.bytes.length < LEAST_PART_BYTES)
        throw new BucketError(400, 'EntityTooSmall');
      return part.bytes;
    });
    if (bytes.length === 0) throw new BucketError(400, 'MalformedXML');
    this.uploads.delete(id);
    const whole = Buffer.concat(bytes);
    return this.put(key, whole, etagOf(whole, `-${bytes.length}`));
  }

  abort(id: string, key: string): void {
    this.upload(id, key);
    this.uploads.delete(id);
  }

  private upload(id: string, key: string): PendingUpload {
    const found = this.uploads.get(id);
    if (found?.key !== key) throw new BucketError(404, 'NoSuchUpload');
    return found;
  }
}
