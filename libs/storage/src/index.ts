/** Storage: files of tenants, uploaded or produced. */
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
export { StorageModule } from './storage.module';
