/** Storage: files of tenants, uploaded or produced, and the text of those that hold rows. */
export {
  type ByteRange,
  FileStore,
  type FileStat,
  type ListedFile,
  type PutOptions,
  type StoredFile,
} from './file-store';
export { LocalFileStore } from './local-file-store';
export { type FileRow, FORMATS, ROW_FORMATS, type RowFormat } from './row-format';
export { StorageModule } from './storage.module';
