/** HTTP side of jobs. */
import { Module } from '@nestjs/common';
import { JobRequests } from '#libs/queues';
import { JobReportService } from './job-report.service';
import { JobsController } from './jobs.controller';

@Module({ controllers: [JobsController], providers: [JobReportService, JobRequests] })
export class JobsHttpModule {}
