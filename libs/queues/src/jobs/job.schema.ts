/** Jobs as the API shows them. */
import { Fields, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';
import { JOB_CLASSES } from '../job-class';
import { type Job, JOB_STATES } from './job';
import { LOG_LEVELS, type LogLine } from './job-log';

export const JOB = shape(
  Type.Object({
    id: Fields.id(),
    type: Type.String({ description: 'What it does, such as `bulk.import`.' }),
    class: Type.Enum([...JOB_CLASSES]),
    state: Type.Enum([...JOB_STATES]),
    progress: Type.Object({
      processed: Type.Integer({ description: 'Items that are done with, those that failed included.' }),
      failed: Type.Integer({ description: 'Items that were left out; the report names them.' }),
      total: Fields.nullable(Type.Integer({ description: 'Number of items, estimated while the job runs.' })),
    }),
    result: Fields.nullable(Type.Unknown()),
    error: Fields.nullable(Type.Object({ code: Type.String(), message: Type.String() })),
    attempts: Type.Integer({ description: 'Runs so far.' }),
    max_attempts: Fields.nullable(Type.Integer({ description: 'Runs until it has failed; null: as its type says.' })),
    priority: Type.Integer({ description: '1 is the most urgent of the organization’s waiting jobs, 10 the least.' }),
    dedupe_key: Fields.nullable(Type.String({ description: 'No second open job of the type has it.' })),
    run_at: Fields.nullable(Fields.timestamp('Not before.')),
    log_lines: Type.Integer({ description: 'Number of the newest line of its log; 0 for none.' }),
    created_at: Fields.timestamp(),
    started_at: Fields.nullable(Fields.timestamp()),
    finished_at: Fields.nullable(Fields.timestamp()),
  }),
);
export type JobView = ShapeType<typeof JOB>;

export const JOB_LOG_LINE = shape(
  Type.Object({
    line: Type.Integer({ description: '1 is the first that the job ever wrote; the newest 1,000 are kept.' }),
    at: Fields.timestamp(),
    level: Type.Enum([...LOG_LEVELS]),
    message: Type.String(),
  }),
);
export type JobLogLineView = ShapeType<typeof JOB_LOG_LINE>;

export function jobLogLineView({ line, at, level, message }: LogLine): JobLogLineView {
  return { line, at: at.toISOString(), level, message };
}

export function jobView(job: Job): JobView {
  const { id, type, state, result, error, attempts, max_attempts, priority, dedupe_key, log_lines } = job;
  return {
    id,
    type,
    class: job.class,
    state,
    progress: { processed: job.processed, failed: job.failed, total: job.total },
    result,
    error,
    ...{ attempts, max_attempts, priority, dedupe_key, log_lines },
    run_at: job.run_at?.toISOString() ?? null,
    created_at: job.created_at.toISOString(),
    started_at: job.started_at?.toISOString() ?? null,
    finished_at: job.finished_at?.toISOString() ?? null,
  };
}
