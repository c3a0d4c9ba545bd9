/** FileStore over another one, within each tenant's `max_storage_bytes`: see StorageLedger. */
import type { Readable } from 'node:stream';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { limitExceeded } from '#libs/tenancy';
import {
  type ByteRange,
  type FileLink,
  FileStore,
  type FileStat,
  type LinkOptions,
  type ListedFile,
  type PutOptions,
  type StoredFile,
} from './file-store';
import { StorageLedger, type StorageRoom } from './storage-ledger';

/** Injection token of the FileStore that keeps the files and knows no limits. */
export const UNCHARGED_FILES = Symbol('UNCHARGED_FILES');

/** Ends a stream as soon as it is longer than the room that is left. */
async function* within(
  content: AsyncIterable<Uint8Array>,
  { maximum, inUse }: StorageRoom,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of content) {
    bytes += chunk.byteLength;
    if (inUse + bytes > maximum) throw limitExceeded({ limit: 'max_storage_bytes', maximum, inUse });
    yield chunk;
  }
}

@Injectable()
export class ChargedFileStore extends FileStore {
  private readonly logger = new Logger('Storage');

  constructor(
    @Inject(UNCHARGED_FILES) private readonly files: FileStore,
    private readonly ledger: StorageLedger,
  ) {
    super();
  }

  /** Throws `limit_exceeded` (403) as well, and keeps nothing then: neither the new file nor one of its key. */
  override async put(key: string, content: AsyncIterable<Uint8Array>, options: PutOptions): Promise<StoredFile> {
    if (options.uncharged || !this.ledger.isCharged(key)) return this.files.put(key, content, options);
    const stored = await this.files.put(key, within(content, await this.ledger.room()), options);
    try {
      await this.ledger.charge(key, stored.bytes);
    } catch (error) {
      await this.delete(key).catch((failure: unknown) => {
        this.logger.warn(
          { key, err: failure },
          'A file that was not accepted could not be deleted; upkeep will record it',
        );
      });
      throw error;
    }
    return stored;
  }

  override open(key: string, range?: ByteRange): Promise<Readable> {
    return this.files.open(key, range);
  }

  override link(key: string, options: LinkOptions): Promise<FileLink> {
    return this.files.link(key, options);
  }

  override stat(key: string): Promise<FileStat | undefined> {
    return this.files.stat(key);
  }

  override async delete(key: string): Promise<void> {
    await this.files.delete(key);
    if (this.ledger.isCharged(key)) await this.ledger.release(key);
  }

  override list(): AsyncIterable<ListedFile> {
    return this.files.list();
  }

  /** For tenants that go, whose ledger goes with their rows. For others upkeep follows. */
  override deleteAll(folder?: string): Promise<number> {
    return this.files.deleteAll(folder);
  }

  override async removeAbandoned(olderThanMs: number): Promise<void> {
    await this.files.removeAbandoned(olderThanMs);
    await this.ledger.reconcile(this.list(), (key) => this.stat(key));
  }

  override check(): Promise<void> {
    return this.files.check();
  }
}
