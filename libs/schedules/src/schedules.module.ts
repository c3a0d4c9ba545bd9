/** Schedules. The api takes SchedulesModule, the worker SchedulesWorkerModule, beside the queues' modules. */
import { Module } from '@nestjs/common';
import { AuditModule } from '#libs/audit';
import { DueSchedules } from './runner/due-schedules.repository';
import { Scheduler } from './runner/scheduler';
import { TickRun } from './runner/tick-run.service';
import { ScheduleRepository } from './schedule.repository';
import { ScheduleService } from './schedule.service';

@Module({ imports: [AuditModule], providers: [ScheduleRepository, ScheduleService], exports: [ScheduleService] })
export class SchedulesModule {}

@Module({
  imports: [AuditModule],
  providers: [ScheduleRepository, DueSchedules, TickRun, Scheduler],
  exports: [Scheduler],
})
export class SchedulesWorkerModule {}
