/** Provides the FileStore that the configuration names, within the limits of its tenants. */
import { Global, Module } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { messagingSecret } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import { ChargedFileStore, UNCHARGED_FILES } from './charged-file-store';
import { FileStore } from './file-store';
import { SealedFileLinks } from './link/sealed-file-links';
import { LocalFileStore } from './local-file-store';
import type * as S3 from './s3/s3-file-store';
import { StorageLedger } from './storage-ledger';

function chosenStore(tenant: TenantContextHolder, config: AppConfig): FileStore {
  if (config.STORAGE_S3_BUCKET === '') return new LocalFileStore(tenant, config);
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the SDK of S3 is loaded where there is a bucket only
  const { S3FileStore } = require('./s3/s3-file-store') as typeof S3;
  return new S3FileStore(tenant, config);
}

const sealedLinks = (config: AppConfig): SealedFileLinks => new SealedFileLinks(messagingSecret(config));

/** Needs DatabaseModule and TenancyModule beside it. */
@Global()
@Module({
  providers: [
    StorageLedger,
    { provide: UNCHARGED_FILES, useFactory: chosenStore, inject: [TenantContextHolder, APP_CONFIG] },
    { provide: FileStore, useClass: ChargedFileStore },
    { provide: SealedFileLinks, useFactory: sealedLinks, inject: [APP_CONFIG] },
  ],
  exports: [FileStore, SealedFileLinks],
})
export class StorageModule {}
