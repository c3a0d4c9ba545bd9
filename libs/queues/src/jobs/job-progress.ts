/** The hint that a job moved on. */
import type { PlatformEvents } from '#libs/messaging';
import type { Job, JobProgress } from './job';

/** Tells whoever watches the job. May be lost. */
export function publishProgress(
  events: PlatformEvents,
  organizationId: string,
  { id, state, processed, failed, total }: Pick<Job, 'id' | 'state' | keyof JobProgress>,
): void {
  events.publish('job.progress', { organization_id: organizationId, job_id: id, state, processed, failed, total });
}
