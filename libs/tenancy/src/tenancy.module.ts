/** Provides the tenant context, the tally of rows and the scope of writes. The directory is provided where its store lives (libs/database). */
import { Global, Module } from '@nestjs/common';
import { ClsModule } from 'nestjs-cls';
import { RowTally } from './row-tally';
import { TenantContextHolder } from './tenant-context';
import { WriteScope } from './write-scope';

@Global()
@Module({
  imports: [ClsModule.forRoot({ global: true, middleware: { mount: false } })],
  providers: [TenantContextHolder, RowTally, WriteScope],
  exports: [TenantContextHolder, RowTally, WriteScope, ClsModule],
})
export class TenancyModule {}
