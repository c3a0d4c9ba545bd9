/** What every process needs to know of an organization before it touches its data. */
import { StockyardError } from '#libs/kernel';
import type { Limits, Tier } from './tier';

export const ORGANIZATION_STATES = ['active', 'suspended', 'moving', 'deleting'] as const;
export type OrganizationState = (typeof ORGANIZATION_STATES)[number];

export interface Organization {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly tier: Tier;
  readonly region: string;
  readonly state: OrganizationState;
  /** Rises with each change of state or place; older epochs are void. */
  readonly epoch: number;
  /** Logical bucket, 0–1023. */
  readonly shardKey: number;
  /** Where it lives: its pin, or else its bucket's shard. */
  readonly shard: string;
  /** Whether it stays there whatever becomes of its bucket. */
  readonly pinned: boolean;
  /** Optimistic-locking version of the row. */
  readonly version: number;
  readonly createdAt: Date;
  /** Tier defaults merged with the organization's overrides. */
  readonly limits: Limits;
}

/** An organization as memory has it. */
export interface LocatedOrganization {
  readonly organization: Organization;
  /** False where the directory's primary is away: the entry may be older than it may be otherwise. */
  readonly fresh: boolean;
}

/** An organization that is here, or what is known of one that is not. */
export type Whereabouts =
  | { readonly organization: Organization }
  | {
      readonly organization: undefined;
      /** The region that it was taken to when it was deleted here. */
      readonly movedTo: string | undefined;
    };

/** Looks organizations up, from memory where it can. Answers undefined for an unknown one. */
export abstract class Directory {
  abstract find(organizationId: string): Promise<Organization | undefined>;
  /** As `find`, without a promise where memory has a fresh answer: for the path of every statement. */
  abstract locate(organizationId: string): LocatedOrganization | Promise<LocatedOrganization | undefined>;
  /** As `find`, and where an organization went that is not here any more. */
  abstract whereabouts(organizationId: string): Promise<Whereabouts>;
  abstract findBySlug(slug: string): Promise<Organization | undefined>;
  /** Forgets what memory holds, also what is being read just now: the next look reads the database. */
  abstract forget(organizationId: string): void;
  /** Every organization, in pages by id; for upkeep that visits tenants one after another. */
  abstract all(): AsyncIterable<Organization>;
}

/** The refusal of a write or job for an organization that is not `active`. */
export function organizationSuspended(organization: Organization): StockyardError {
  return new StockyardError({
    code: 'organization_not_active',
    category: 'forbidden',
    message: `The organization is ${organization.state}; ask the platform's operators to resume it.`,
    details: { state: organization.state },
  });
}
