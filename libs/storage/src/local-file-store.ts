/** FileStore on a local or shared disk. A file is written beside its place, synced, and moved there by one rename. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { messagingSecret } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import { fileNotFound, StorageUnavailableError } from './file.error';
import { tenantPath } from './file-key';
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
import { linkExpiry } from './link/link-expiry';
import { SealedFileLinks } from './link/sealed-file-links';
import { measured } from './measured-content';

const TEMPORARY = '.partial';

@Injectable()
export class LocalFileStore extends FileStore {
  private readonly root: string;
  private readonly links: SealedFileLinks;

  constructor(
    private readonly tenant: TenantContextHolder,
    @Inject(APP_CONFIG)
    private readonly config: Pick<
      AppConfig,
      'STORAGE_DIR' | 'MESSAGING_SECRET' | 'MESSAGING_SECRET_BEFORE' | 'FILE_LINK_TTL_SECONDS'
    >,
  ) {
    super();
    this.root = resolve(config.STORAGE_DIR);
    this.links = new SealedFileLinks(messagingSecret(config));
  }

  override async put(key: string, content: AsyncIterable<Uint8Array>, options: PutOptions): Promise<StoredFile> {
    const path = this.path(key);
    await mkdir(dirname(path), { recursive: true });
    const temporary = `${path}.${randomBytes(6).toString('hex')}${TEMPORARY}`;
    try {
      const handle = await open(temporary, 'wx', options.confidential ? 0o600 : 0o640);
      const stored = await write(handle, content, options).finally(() => handle.close());
      await rename(temporary, path);
      await syncDirectory(dirname(path));
      return stored;
    } catch (error) {
      await rm(temporary, { force: true });
      throw translate(error);
    }
  }

  override async open(key: string, range?: ByteRange): Promise<Readable> {
    try {
      const handle = await open(this.path(key), 'r');
      return handle.createReadStream({
        start: range?.start ?? 0,
        ...(range?.end === undefined ? {} : { end: range.end }),
      });
    } catch (error) {
      throw translate(error);
    }
  }

  /** The api serves it: a disk serves nobody. */
  override async link(key: string, options: LinkOptions): Promise<FileLink> {
    this.path(key); // refuses what is no key
    const expiresAt = linkExpiry(this.config);
    const { organizationId } = this.tenant.current();
    return { url: `v1/files/${this.links.seal({ organizationId, key, ...options }, expiresAt)}`, expiresAt };
  }

  override async stat(key: string): Promise<FileStat | undefined> {
    try {
      const { size, mtime } = await stat(this.path(key));
      return { bytes: size, modifiedAt: mtime };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw translate(error);
    }
  }

  override async delete(key: string): Promise<void> {
    await rm(this.path(key), { force: true });
  }

  override async *list(): AsyncGenerator<ListedFile> {
    const own = this.own();
    for (const entry of await filesBelow(own)) {
      const found = entry.endsWith(TEMPORARY) ? undefined : await stat(join(own, entry)).catch(() => undefined);
      if (found) yield { key: entry.replaceAll('\\', '/'), bytes: found.size, modifiedAt: found.mtime };
    }
  }

  override async deleteAll(folder?: string): Promise<number> {
    const path = folder === undefined ? this.own() : this.path(folder);
    const files = (await filesBelow(path)).filter((name) => !name.endsWith(TEMPORARY));
    await rm(path, { recursive: true, force: true });
    return files.length;
  }

  override async removeAbandoned(olderThanMs: number): Promise<void> {
    const own = this.own();
    const entries = await filesBelow(own);
    for (const entry of entries.filter((name) => name.endsWith(TEMPORARY))) {
      const found = await stat(join(own, entry)).catch(() => undefined);
      if (found && Date.now() - found.mtimeMs > olderThanMs) await rm(join(own, entry), { force: true });
    }
  }

  override async check(): Promise<void> {
    await mkdir(this.root, { recursive: true });
    await access(this.root, constants.R_OK | constants.W_OK);
  }

  private own(): string {
    return join(this.root, this.tenant.current().organizationId);
  }

  private path(key: string): string {
    return join(this.root, tenantPath(this.tenant.current().organizationId, key));
  }
}

/** Paths of the files below a directory, relative to it; none where it is missing. */
async function filesBelow(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => relative(directory, join(parentPath, name)));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function write(
  handle: FileHandle,
  content: AsyncIterable<Uint8Array>,
  { maxBytes }: PutOptions,
): Promise<StoredFile> {
  const passing = measured(content, maxBytes);
  for await (const chunk of passing) await handle.writeFile(chunk); // appends at the position; unlike write(), never stops short
  await handle.sync();
  return passing.measure();
}

/** A rename is durable once the directory is; not every platform lets a directory be opened. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

const OUT_OF_SPACE = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'EIO']);

function translate(error: unknown): unknown {
  if (isMissing(error)) return fileNotFound(error);
  return OUT_OF_SPACE.has((error as NodeJS.ErrnoException).code ?? '') ? new StorageUnavailableError(error) : error;
}
