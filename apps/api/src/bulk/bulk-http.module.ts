/** HTTP side of import and export. */
import { Module } from '@nestjs/common';
import { BulkModule } from '#libs/bulk';
import { FilesHttpModule } from '../files/files-http.module';
import { streamBodyParser } from '../upload/stream-upload';
import { ExportsController } from './exports.controller';
import { ImportsController } from './imports.controller';

@Module({
  imports: [BulkModule, FilesHttpModule],
  controllers: [ImportsController, ExportsController],
  providers: [streamBodyParser({ contentType: 'text/csv', route: '/v1/imports' })],
})
export class BulkHttpModule {}
