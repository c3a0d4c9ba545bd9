/** What kinds of jobs there are: type, class, version and shape of the payload, what one may cost, and how often it is tried. */
import type { Shape } from '#libs/kernel';
import type { JobClass } from '../job-class';

/**
 * Why running a job twice does no harm. `checkpointed`: each step commits together with its checkpoint, once. `repeatable`: it
 * changes nothing but its own output, which the next run replaces; it keeps no checkpoint.
 */
export type Idempotency = 'checkpointed' | 'repeatable';

/** A file that a job writes: where the file store has it, and as what it is handed out. */
export interface JobFile {
  readonly key: string;
  readonly filename: string;
  readonly contentType: string;
}

export interface JobDefinition<Payload = unknown> {
  /** Exact name, such as `bulk.import`. Stored with each job: never reuse one for something else. */
  readonly type: string;
  readonly class: JobClass;
  /** Version of the payload. A consumer refuses a version it does not know. */
  readonly version: number;
  readonly payload: Shape<Payload>;
  /** Runs before the job has failed; hand-backs, lost workers and dependencies that are out do not count. */
  readonly attempts: number;
  /** Wait before the second attempt, in milliseconds; doubles with each further one; up to a fifth less. */
  readonly backoffMs: number;
  /** A run that takes longer has failed, in milliseconds. */
  readonly timeoutMs: number;
  /** What it takes of its tenant's share, in ordinary jobs: a whole number. */
  readonly cost: number;
  readonly idempotency: Idempotency;
  /** Whether the job changes tenant data: such jobs wait while the organization is suspended or moving. */
  readonly writes: boolean;
  /** Permissions of the job's tenant context. */
  readonly permissions: readonly string[];
  /** Whether a client may create one by its type, with a payload of its own. */
  readonly creatable: boolean;
  /** The file that a completed job of this type has, for types that write one. It goes when the job's row does. */
  file?(jobId: string, payload: Payload): JobFile;
  /**
   * For types of which a tenant has no two with the same key at once, whoever makes them: while one is queued or running there is
   * no second one. 1 to 200 characters.
   */
  dedupeKey?(payload: Payload): string;
  /** Whether tenants may have it made by a schedule, always with the same payload. */
  readonly schedulable: boolean;
}

const DEFAULTS = {
  class: 'normal',
  attempts: 3,
  backoffMs: 2_000,
  timeoutMs: 600_000,
  cost: 1,
  idempotency: 'checkpointed',
  writes: true,
  permissions: [],
  creatable: false,
  schedulable: false,
} as const satisfies Partial<JobDefinition>;

type Defaults = keyof typeof DEFAULTS;

const RANGES = {
  version: [1, 1_000_000],
  attempts: [1, 100],
  backoffMs: [0, 86_400_000],
  timeoutMs: [1, 7 * 86_400_000],
  cost: [1, 1_000],
} as const;

/**
 * Fills in the defaults: class `normal`, 3 attempts, 2 s doubling, 10 min, cost 1, checkpointed, writes, no permissions, neither
 * creatable nor schedulable. Throws for a number that is out of its range, naming type and field.
 */
export function defineJob<Payload>(
  definition: Omit<JobDefinition<Payload>, Defaults> & Partial<Pick<JobDefinition<Payload>, Defaults>>,
): JobDefinition<Payload> {
  const defined: JobDefinition<Payload> = { ...DEFAULTS, ...definition };
  for (const [field, [least, most]] of Object.entries(RANGES)) {
    const value = defined[field as keyof typeof RANGES];
    if (Number.isInteger(value) && value >= least && value <= most) continue;
    throw new Error(`Job type ${defined.type}: ${field} is ${value}; it is a whole number from ${least} to ${most}.`);
  }
  return Object.freeze(defined);
}
