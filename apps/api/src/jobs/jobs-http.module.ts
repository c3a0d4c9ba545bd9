/** HTTP side of jobs. */
import { Module } from '@nestjs/common';
import { JobReportService } from './job-report.service';
import { JobsController } from './jobs.controller';

@Module({ controllers: [JobsController], providers: [JobReportService] })
export class JobsHttpModule {}
