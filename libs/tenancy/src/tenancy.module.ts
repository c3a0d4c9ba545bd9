/** Provides the tenant context. The directory is provided where its store lives (libs/database). */
import { Global, Module } from '@nestjs/common';
import { ClsModule } from 'nestjs-cls';
import { TenantContextHolder } from './tenant-context';

@Global()
@Module({
  imports: [ClsModule.forRoot({ global: true, middleware: { mount: false } })],
  providers: [TenantContextHolder],
  exports: [TenantContextHolder, ClsModule],
})
export class TenancyModule {}
