/** Where the current tenant is, as far as this process knows. */
import type { Charged, Limits } from '#libs/tenancy';
import type { Shard } from '../shards/shard';

export interface Place {
  readonly organizationId: string;
  /** Whose the time of its statements is. */
  readonly charged: Charged;
  readonly shard: Shard;
  readonly epoch: number;
  /** Whether the directory's entry is fresh. */
  readonly fresh: boolean;
  /** Whether an operator of the platform acts: they also write to suspended organizations. */
  readonly isOperators: boolean;
  /** Of the organization; undefined while it is being made. */
  readonly limits: Limits | undefined;
}
