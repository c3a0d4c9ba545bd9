/**
 * What operators do to an organization and inside it. Tenant rows are written in a context of that organization, with
 * the operator as actor, so its own audit log tells what the platform's operators did.
 */
import { Injectable } from '@nestjs/common';
import { AuditService } from '#libs/audit';
import { LocationService } from '#libs/catalog';
import { type ApiKeyRequest, ApiKeyService, type NewUser, type User, UserCreation } from '#libs/identity';
import {
  type LimitOverrides,
  type NewOrganization,
  type OrganizationPatch,
  OrganizationService,
} from '#libs/organizations';
import type { Organization } from '#libs/tenancy';
import { OperatorScope } from './operator-scope.service';

/** A change that an operator asks for. */
export interface OperatorChange<T> {
  readonly organizationId: string;
  readonly change: T;
  readonly expectedVersion?: number | undefined;
  readonly requestId: string;
}

@Injectable()
export class ProvisioningService {
  constructor(
    private readonly organizations: OrganizationService,
    private readonly locations: LocationService,
    private readonly users: UserCreation,
    private readonly apiKeys: ApiKeyService,
    private readonly audit: AuditService,
    private readonly operators: OperatorScope,
  ) {}

  /** Makes an organization with its default location and, where asked for, its first owner. */
  async create(
    input: NewOrganization,
    owner: Omit<NewUser, 'role'> | undefined,
    requestId: string,
  ): Promise<Organization> {
    const prepared = owner && (await this.users.prepare({ ...owner, role: 'owner' }));
    return this.organizations.create(input, ({ id, slug, tier }, place) =>
      this.operators.within({ organizationId: id, requestId, place }, async () => {
        await this.locations.ensureDefault();
        if (prepared) await this.users.createFirst(prepared);
        await this.recordChange(id, 'organization.created', { slug, tier });
      }),
    );
  }

  update({ organizationId, change, expectedVersion, requestId }: OperatorChange<OrganizationPatch>) {
    return this.organizations.update({
      id: organizationId,
      change,
      expectedVersion,
      beforeCommit: ({ name, tier, state }, place) =>
        this.operators.within({ organizationId, requestId, place }, () =>
          this.recordChange(organizationId, 'organization.updated', { name, tier, state }),
        ),
    });
  }

  putLimits({ organizationId, change, expectedVersion, requestId }: OperatorChange<LimitOverrides>) {
    const data = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
    return this.organizations.putLimits({
      id: organizationId,
      change,
      expectedVersion,
      beforeCommit: (_, place) =>
        this.operators.within({ organizationId, requestId, place }, () =>
          this.recordChange(organizationId, 'organization.limits_changed', data as Record<string, number | null>),
        ),
    });
  }

  async createApiKey({ organizationId, change, requestId }: OperatorChange<ApiKeyRequest>) {
    await this.organizations.get(organizationId);
    return this.operators.within({ organizationId, requestId }, () => this.apiKeys.create(change));
  }

  async createUser({ organizationId, change, requestId }: OperatorChange<NewUser>): Promise<User> {
    await this.organizations.get(organizationId);
    return this.operators.within({ organizationId, requestId }, () => this.users.create(change));
  }

  private recordChange(id: string, action: string, data: Record<string, string | number | null>): Promise<void> {
    return this.audit.record({ action, targetType: 'organization', targetId: id, data });
  }
}
