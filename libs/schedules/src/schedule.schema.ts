/** Schedules as the API takes and shows them. */
import { closed, Fields, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';
import { ticksFrom } from './cron/ticks';
import { isTimeZone, localTimes } from './cron/time-zone';
import { type Schedule, SCHEDULE_STATES } from './schedule';

const SHOWN_RUNS = 5;

const name = () => Fields.text(100, 'Unique within the organization.');
const cron = () =>
  Fields.text(
    200,
    'Five fields: minute, hour, day of the month, month, day of the week, such as `30 6 * * MON-FRI`. With both days given, it runs on either.',
  );
const timeZone = () =>
  Fields.text(64, 'IANA name of the time zone that the fields are read in, such as `Europe/Berlin`.');
const payload = () =>
  Type.Object({}, { additionalProperties: true, description: 'What each job is given; as the type takes it.' });

export const CREATE_SCHEDULE = shape(
  closed({
    name: name(),
    cron: cron(),
    time_zone: Type.Optional(Type.String({ ...timeZone(), default: 'UTC' })),
    job_type: Fields.text(100, 'Type of the jobs that it makes, such as `bulk.export`.'),
    payload: payload(),
  }),
);
export type NewSchedule = ShapeType<typeof CREATE_SCHEDULE>;

export const UPDATE_SCHEDULE = shape(
  closed({
    name: Type.Optional(name()),
    cron: Type.Optional(cron()),
    time_zone: Type.Optional(timeZone()),
    payload: Type.Optional(payload()),
  }),
);
export type ScheduleChange = ShapeType<typeof UPDATE_SCHEDULE>;

export const SCHEDULE = shape(
  Type.Object({
    id: Fields.id(),
    name: name(),
    cron: cron(),
    time_zone: timeZone(),
    job_type: Type.String(),
    payload: Type.Unknown(),
    state: Type.Enum([...SCHEDULE_STATES]),
    paused_reason: Fields.nullable(
      Type.String({
        description: 'Why the platform paused it (`job_type_not_schedulable`, `invalid_payload`, `never_fires`).',
      }),
    ),
    next_runs: Type.Array(
      Type.Object({
        at: Fields.timestamp('In UTC.'),
        local: Fields.timestamp('The same, as the clocks of the time zone show it.'),
      }),
      { description: `The next ${SHOWN_RUNS}; none while it is paused.` },
    ),
    last_run_at: Fields.nullable(Fields.timestamp('When its last job was made.')),
    last_job_id: Fields.nullable(Fields.id()),
    last_skipped_at: Fields.nullable(Fields.timestamp('The last tick that was passed over.')),
    last_skip_reason: Fields.nullable(
      Type.String({
        description:
          '`queue_full`: too many jobs were waiting. `already_run`: the tick had its job. `still_running`: of such jobs there is one at a time, and the one before has not ended.',
      }),
    ),
    version: Type.Integer({ description: 'Of what can be changed; runs leave it alone.' }),
    created_at: Fields.timestamp(),
    updated_at: Fields.timestamp(),
  }),
);
export type ScheduleView = ShapeType<typeof SCHEDULE>;

export function scheduleView(schedule: Schedule): ScheduleView {
  const { next_run_at, last_run_at, last_skipped_at, created_at, updated_at, payload: stored, ...shown } = schedule;
  return {
    ...shown,
    payload: stored.data,
    next_runs: next_run_at && isTimeZone(schedule.time_zone) ? runsFrom(schedule, next_run_at) : [],
    last_run_at: last_run_at?.toISOString() ?? null,
    last_skipped_at: last_skipped_at?.toISOString() ?? null,
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
  };
}

function runsFrom(schedule: Schedule, first: Date): ScheduleView['next_runs'] {
  const local = localTimes(schedule.time_zone);
  return ticksFrom(schedule, first, SHOWN_RUNS).map((at) => ({ at: at.toISOString(), local: local(at) }));
}
