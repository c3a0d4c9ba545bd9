/** Makes links absolute, and serves the files of those that the api seals itself. */
import { Inject, Injectable, StreamableFile } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { attachment, type FileLink, FileStore, SealedFileLinks } from '#libs/storage';
import type { FileLinkBody } from './file-link.shape';

@Injectable()
export class FileDownloadService {
  constructor(
    private readonly files: FileStore,
    private readonly links: SealedFileLinks,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'API_PUBLIC_URL'>,
  ) {}

  /** `address` is where the client reached the api; API_PUBLIC_URL goes before it. */
  linkBody({ url, expiresAt }: FileLink, address: string): FileLinkBody {
    const base = (this.config.API_PUBLIC_URL || address).replace(/\/*$/, '/');
    return { url: new URL(url, base).toString(), expires_at: expiresAt.toISOString() };
  }

  /** In the context of the tenant that the link names. Throws `file_not_found` (404) for a file that is gone. */
  async open(sealed: string): Promise<StreamableFile> {
    const { key, filename, contentType } = this.links.open(sealed);
    const found = await this.files.stat(key);
    const stream = await this.files.open(key);
    const disposition = attachment(filename);
    return new StreamableFile(stream, { type: contentType, disposition, ...(found && { length: found.bytes }) });
  }
}
