/** HTTP side of import and export. */
import { Module } from '@nestjs/common';
import { BulkModule } from '#libs/bulk';
import { CsvBodyParser } from './csv-upload.decorator';
import { ExportsController } from './exports.controller';
import { ImportsController } from './imports.controller';

@Module({ imports: [BulkModule], controllers: [ImportsController, ExportsController], providers: [CsvBodyParser] })
export class BulkHttpModule {}
