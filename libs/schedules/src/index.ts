/** Schedules: a tenant's jobs at set times, each tick once whatever the number of workers. */
export type { Schedule } from './schedule';
export { SCHEDULE_STATES } from './schedule';
export {
  CREATE_SCHEDULE,
  type NewSchedule,
  SCHEDULE,
  type ScheduleChange,
  scheduleView,
  type ScheduleView,
  UPDATE_SCHEDULE,
} from './schedule.schema';
export { ScheduleService } from './schedule.service';
export { Scheduler } from './runner/scheduler';
export { SchedulesModule, SchedulesWorkerModule } from './schedules.module';
