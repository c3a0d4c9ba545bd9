/** HTTP side of jobs. */
import { Module } from '@nestjs/common';
import { JobRequests } from '#libs/queues';
import { AccessModule } from '../access/access.module';
import { AuditedLettersModule } from '../dead-letters/audited-letters.module';
import { JobEventsController } from './job-events.controller';
import { JobEventsService } from './job-events.service';
import { JobHintsListener } from './job-hints.listener';
import { JobReader } from './job-reader.service';
import { JobReportService } from './job-report.service';
import { JobStreamGauge } from './job-stream-gauge';
import { JobWatchers } from './job-watchers.service';
import { JobsController } from './jobs.controller';

@Module({
  imports: [AccessModule, AuditedLettersModule],
  controllers: [JobsController, JobEventsController, JobHintsListener],
  providers: [JobReportService, JobRequests, JobReader, JobWatchers, JobEventsService, JobStreamGauge],
})
export class JobsHttpModule {}
