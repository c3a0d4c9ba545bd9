/**
 * FileStore: where uploaded and produced files live. Every file belongs to the tenant of the current context; another
 * tenant's file cannot be named. LocalFileStore keeps them on a disk, S3FileStore in an object store; both pass the suite
 * in test/file-store.contract.ts.
 */
import type { Readable } from 'node:stream';

export interface StoredFile {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

export interface FileStat {
  readonly bytes: number;
  readonly modifiedAt: Date;
}

export interface ListedFile extends FileStat {
  readonly key: string;
}

/** Bytes from `start` (0 is the first) to `end`, inclusive; to the end of the file without `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

export interface PutOptions {
  /** More than this is refused with `file_too_large` (413), and nothing is kept. */
  readonly maxBytes: number;
  /**
   * For what holds hashes of secrets: only the platform's own user may read it on the machine (mode 0600). In an object store
   * nothing is readable but by credentials and links.
   */
  readonly confidential?: boolean;
  /** Not counted against the tenant, because its rows bring the count along: a tenant that is restored. Default false. */
  readonly uncharged?: boolean;
}

export interface LinkOptions {
  /** Name under which the file is saved. */
  readonly filename: string;
  readonly contentType: string;
}

export interface FileLink {
  /** Absolute where the store serves clients itself; else below the address of the api, such as `v1/files/…`. */
  readonly url: string;
  readonly expiresAt: Date;
}

export abstract class FileStore {
  /**
   * Stores a stream under a key such as `imports/{id}.csv`. The file appears whole or not at all, replaces one of the
   * same key, and survives a crash once this resolves. Memory use does not grow with the file.
   */
  abstract put(key: string, content: AsyncIterable<Uint8Array>, options: PutOptions): Promise<StoredFile>;

  /**
   * Throws `file_not_found` (404). The caller reads the stream to its end or destroys it, at whatever pace; memory use does
   * not grow with the file. The stream never mixes the bytes of two files that had this key; where the store cannot keep the
   * older one for it, it fails.
   */
  abstract open(key: string, range?: ByteRange): Promise<Readable>;

  /**
   * A link under which anyone may have this file, as it is then, for FILE_LINK_TTL_SECONDS. Does not look whether the file is
   * there.
   */
  abstract link(key: string, options: LinkOptions): Promise<FileLink>;

  /** undefined where there is no such file. */
  abstract stat(key: string): Promise<FileStat | undefined>;

  /** Deleting what is not there is no error. */
  abstract delete(key: string): Promise<void>;

  /** Every file of this tenant, in no order. What appears or goes meanwhile may or may not be among them. */
  abstract list(): AsyncIterable<ListedFile>;

  /** Deletes every file of this tenant, or those below a folder such as `operations/1`; resolves with their number. */
  abstract deleteAll(folder?: string): Promise<number>;

  /**
   * Removes what interrupted puts of this tenant left behind and nobody has written to for `olderThanMs`, and brings what is
   * counted of its files in line with what is there.
   */
  abstract removeAbandoned(olderThanMs: number): Promise<void>;

  /** Rejects when files cannot be written at the moment. Needs no tenant. */
  abstract check(): Promise<void>;
}
