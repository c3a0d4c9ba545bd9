/** Jobs as the API shows them. */
import { Fields, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';
import { JOB_CLASSES } from '../job-class';
import { type Job, JOB_STATES } from './job';

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
    attempts: Type.Integer(),
    created_at: Fields.timestamp(),
    started_at: Fields.nullable(Fields.timestamp()),
    finished_at: Fields.nullable(Fields.timestamp()),
  }),
);
export type JobView = ShapeType<typeof JOB>;

export function jobView(job: Job): JobView {
  const { id, type, state, result, error, attempts } = job;
  return {
    id,
    type,
    class: job.class,
    state,
    progress: { processed: job.processed, failed: job.failed, total: job.total },
    result,
    error,
    attempts,
    created_at: job.created_at.toISOString(),
    started_at: job.started_at?.toISOString() ?? null,
    finished_at: job.finished_at?.toISOString() ?? null,
  };
}
