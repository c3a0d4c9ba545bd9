/** What kinds of jobs there are: type, class, version and shape of the payload, and how often one is tried. */
import type { Shape } from '#libs/kernel';
import type { JobClass } from '../job-class';

export interface JobDefinition<Payload = unknown> {
  /** Exact name, such as `bulk.import`. Stored with each job: never reuse one for something else. */
  readonly type: string;
  readonly class: JobClass;
  /** Version of the payload. A consumer refuses a version it does not know. */
  readonly version: number;
  readonly payload: Shape<Payload>;
  /** Runs before the job has failed; hand-backs, lost workers and dependencies that are out do not count. */
  readonly attempts: number;
  /** Wait before the second attempt, in milliseconds; doubles with each further one. */
  readonly backoffMs: number;
  /** Whether the job changes tenant data: such jobs wait while the organization is suspended or moving. */
  readonly writes: boolean;
  /** Permissions of the job's tenant context. */
  readonly permissions: readonly string[];
}

type Defaults = 'attempts' | 'backoffMs' | 'writes' | 'permissions';

/** Fills in the defaults: 3 attempts, 2 s doubling, writes, no permissions. */
export function defineJob<Payload>(
  definition: Omit<JobDefinition<Payload>, Defaults> & Partial<Pick<JobDefinition<Payload>, Defaults>>,
): JobDefinition<Payload> {
  return Object.freeze({ attempts: 3, backoffMs: 2_000, writes: true, permissions: [], ...definition });
}
