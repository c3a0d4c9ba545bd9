/** A job whose effect shows how often it was done: one more row each time. */
import { tenantStatement } from '#libs/database';
import { closed, newId, shape } from '#libs/kernel';
import { defineJob, HandlesJob, type JobContext, type JobHandler } from '../src';

export const COUNTING = defineJob({
  type: 'test.counting',
  class: 'critical',
  version: 1,
  payload: shape(closed({})),
  backoffMs: 100,
});

const addLocation = tenantStatement(
  'counting_add_location',
  'insert into locations (organization_id, id, code, name) values ($1, $2, $3, $4)',
);

@HandlesJob(COUNTING)
export class CountingHandler implements JobHandler<unknown, number> {
  async run(context: JobContext<unknown, number>) {
    if (context.checkpoint === null) {
      const statements = [addLocation(newId(), newId().slice(-20), context.jobId)];
      await context.commit({ checkpoint: 1, processed: 1, failed: 0, total: 1, statements });
    }
    return {};
  }
}
