/** Storage: files of tenants, uploaded or produced. */
export {
  type ByteRange,
  FileStore,
  type FileStat,
  type ListedFile,
  type PutOptions,
  type StoredFile,
} from './file-store';
export { StorageRefusedError, StorageUnavailableError } from './file.error';
export { StorageModule } from './storage.module';
