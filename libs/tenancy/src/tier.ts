/** Tiers: named sets of limits and a scheduling weight. Overrides of one organization stand in `tenant_limits`. */

export const TIERS = ['free', 'starter', 'professional', 'enterprise'] as const;
export type Tier = (typeof TIERS)[number];

export interface Limits {
  /** Concurrent database transactions across all processes. */
  readonly maxConnections: number;
  /** Requests that are worked on at once across all processes. */
  readonly maxConcurrentRequests: number;
  readonly apiCallsPerHour: number;
  readonly maxUsers: number;
  readonly maxStorageBytes: number;
  /** Policy `api`: requests per sliding minute. */
  readonly requestsPerMinute: number;
  /** Policy `auth`: attempts per 15 minutes, on account and on address separately. */
  readonly authAttemptsPer15Minutes: number;
  /** Policy `export`: exports per hour. */
  readonly exportsPerHour: number;
  /** Policy `bulk`: imports and other bulk work per hour. */
  readonly bulkPerHour: number;
  /** Share of job slots under contention. */
  readonly schedulingWeight: number;
  /** Jobs that run at once in one class, across all workers. */
  readonly maxRunningJobs: number;
  /** Jobs that wait, in all classes together. */
  readonly maxWaitingJobs: number;
  /** Schedules, the paused ones included. */
  readonly maxSchedules: number;
  /** Connections that stock is pulled from, the paused ones included. */
  readonly maxSyncConnections: number;
  /** Bytes of cached values in Redis. */
  readonly maxCacheBytes: number;
}

export type LimitName = keyof Limits;

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

export const TIER_LIMITS: Readonly<Record<Tier, Limits>> = {
  free: {
    maxConnections: 4,
    maxConcurrentRequests: 20,
    apiCallsPerHour: 6_000,
    maxUsers: 5,
    maxStorageBytes: 1 * GIB,
    requestsPerMinute: 100,
    authAttemptsPer15Minutes: 5,
    exportsPerHour: 10,
    bulkPerHour: 5,
    schedulingWeight: 1,
    maxRunningJobs: 2,
    maxWaitingJobs: 1_000,
    maxSchedules: 5,
    maxSyncConnections: 2,
    maxCacheBytes: 8 * MIB,
  },
  starter: {
    maxConnections: 8,
    maxConcurrentRequests: 40,
    apiCallsPerHour: 36_000,
    maxUsers: 25,
    maxStorageBytes: 10 * GIB,
    requestsPerMinute: 600,
    authAttemptsPer15Minutes: 5,
    exportsPerHour: 30,
    bulkPerHour: 20,
    schedulingWeight: 2,
    maxRunningJobs: 4,
    maxWaitingJobs: 10_000,
    maxSchedules: 25,
    maxSyncConnections: 5,
    maxCacheBytes: 32 * MIB,
  },
  professional: {
    maxConnections: 16,
    maxConcurrentRequests: 100,
    apiCallsPerHour: 180_000,
    maxUsers: 250,
    maxStorageBytes: 100 * GIB,
    requestsPerMinute: 3_000,
    authAttemptsPer15Minutes: 5,
    exportsPerHour: 120,
    bulkPerHour: 60,
    schedulingWeight: 4,
    maxRunningJobs: 8,
    maxWaitingJobs: 50_000,
    maxSchedules: 100,
    maxSyncConnections: 25,
    maxCacheBytes: 128 * MIB,
  },
  enterprise: {
    maxConnections: 32,
    maxConcurrentRequests: 400,
    apiCallsPerHour: 1_800_000,
    maxUsers: 10_000,
    maxStorageBytes: 1_000 * GIB,
    requestsPerMinute: 30_000,
    authAttemptsPer15Minutes: 5,
    exportsPerHour: 600,
    bulkPerHour: 300,
    schedulingWeight: 8,
    maxRunningJobs: 32,
    maxWaitingJobs: 200_000,
    maxSchedules: 1_000,
    maxSyncConnections: 200,
    maxCacheBytes: 512 * MIB,
  },
};

/** The limits in force: those of the tier, with an organization's overrides on top. */
export function effectiveLimits(tier: Tier, overrides: Partial<Record<LimitName, number | null>> = {}): Limits {
  const limits: Record<LimitName, number> = { ...TIER_LIMITS[tier] };
  for (const name of Object.keys(limits) as LimitName[]) limits[name] = overrides[name] ?? limits[name];
  return limits;
}
