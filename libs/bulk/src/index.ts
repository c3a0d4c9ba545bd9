/** Bulk: import and export of a tenant's data as jobs. */
export { BULK_EXPORT, BULK_IMPORT, BULK_JOBS, CREATE_EXPORT, type ExportRequest } from './bulk.jobs';
export { BulkModule, BulkWorkerModule } from './bulk.module';
export { type ExportFile, ExportService } from './export/export.service';
export { ImportService, type Upload } from './import/import.service';
