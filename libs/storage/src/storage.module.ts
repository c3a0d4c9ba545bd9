/** Provides the FileStore, within the limits of its tenants. */
import { Global, Module } from '@nestjs/common';
import { ChargedFileStore } from './charged-file-store';
import { FileStore } from './file-store';
import { LocalFileStore } from './local-file-store';
import { StorageLedger } from './storage-ledger';

/** Needs DatabaseModule and TenancyModule beside it. */
@Global()
@Module({
  providers: [LocalFileStore, StorageLedger, { provide: FileStore, useClass: ChargedFileStore }],
  exports: [FileStore],
})
export class StorageModule {}
