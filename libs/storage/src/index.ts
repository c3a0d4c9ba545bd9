/** Storage: files of tenants, uploaded or produced, and the text of those that hold rows. */
export {
  type ByteRange,
  type FileLink,
  FileStore,
  type FileStat,
  type LinkOptions,
  type ListedFile,
  type PutOptions,
  type StoredFile,
} from './file-store';
export { StorageRefusedError, StorageUnavailableError } from './file.error';
export { attachment } from './link/attachment';
export { type LinkedFile, SealedFileLinks, unknownLink } from './link/sealed-file-links';
export { type FileRow, FORMATS, ROW_FORMATS, type RowFormat } from './row-format';
export { StorageModule } from './storage.module';
