/** Reports: what a tenant's stock and sales come to, as files that jobs write. */
export { REPORT_JOBS } from './report.jobs';
export { ReportService } from './report.service';
export { CREATE_REPORT, type CreateReport } from './report.shapes';
export { ReportsModule, ReportsWorkerModule } from './reports.module';
