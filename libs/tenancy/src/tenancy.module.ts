/** Provides the tenant context and the tally of rows. The directory is provided where its store lives (libs/database). */
import { Global, Module } from '@nestjs/common';
import { ClsModule } from 'nestjs-cls';
import { RowTally } from './row-tally';
import { TenantContextHolder } from './tenant-context';

@Global()
@Module({
  imports: [ClsModule.forRoot({ global: true, middleware: { mount: false } })],
  providers: [TenantContextHolder, RowTally],
  exports: [TenantContextHolder, RowTally, ClsModule],
})
export class TenancyModule {}
