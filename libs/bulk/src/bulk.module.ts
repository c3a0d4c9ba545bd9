/** Import and export. The api takes BulkModule, the worker BulkWorkerModule; both register BULK_JOBS with the queues. */
import { Module } from '@nestjs/common';
import { CatalogModule } from '#libs/catalog';
import { ExportHandler } from './export/export.handler';
import { ExportService } from './export/export.service';
import { FileRetentionTask } from './file-retention.task';
import { ImportHandler } from './import/import.handler';
import { ImportRepository } from './import/import.repository';
import { ImportService } from './import/import.service';

@Module({ providers: [ImportService, ExportService], exports: [ImportService, ExportService] })
export class BulkModule {}

@Module({ imports: [CatalogModule], providers: [ImportRepository, ImportHandler, ExportHandler, FileRetentionTask] })
export class BulkWorkerModule {}
