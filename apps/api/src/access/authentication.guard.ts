/**
 * First of the global guards: finds out who calls and enters the tenant's context. A handler that does not declare
 * whom it serves serves nobody. Messages of the Redis transport pass: they carry hints between our own processes.
 */
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { type Access, ACCESS_KEY, bearerToken, CallerService, credentialError } from '#libs/identity';
import { constantTimeEqual, StockyardError } from '#libs/kernel';
import { organizationSuspended, TenantContextHolder } from '#libs/tenancy';
import type { AuthenticatedRequest } from './authenticated-request';
import { ConsistencyService } from './consistency.service';
import { HolderService } from './holder.service';

const READS = new Set(['GET', 'HEAD']);

@Injectable()
export class AuthenticationGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly callers: CallerService,
    private readonly holders: HolderService,
    private readonly tenant: TenantContextHolder,
    private readonly consistency: ConsistencyService,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'ADMIN_TOKEN'>,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    switch (this.access(context)?.kind) {
      case 'public':
        return true;
      case 'operators':
        return this.admitOperator(request);
      case 'link':
        return this.admitHolder(request);
      case 'tenant':
        return this.admitTenant(request);
      default:
        throw new StockyardError({
          code: 'access_not_declared',
          category: 'forbidden',
          message: 'This endpoint does not declare whom it serves, so it serves nobody.',
        });
    }
  }

  private access(context: ExecutionContext): Access | undefined {
    return this.reflector.getAllAndOverride<Access | undefined>(ACCESS_KEY, [context.getHandler(), context.getClass()]);
  }

  private admitOperator(request: AuthenticatedRequest): boolean {
    if (!constantTimeEqual(bearerToken(request), this.config.ADMIN_TOKEN)) throw credentialError('invalid_token');
    return true;
  }

  /** A link reads one file and nothing of the database, so no consistency comes into it. */
  private async admitHolder(request: AuthenticatedRequest): Promise<boolean> {
    const { sealed } = request.params as { readonly sealed: string };
    const { organization, actor, permissions } = await this.holders.identify(sealed);
    const { id: organizationId, tier } = organization;
    request.tenant = { organizationId, tier, actor };
    this.tenant.enter({ organizationId, actor, permissions, requestId: request.id });
    return true;
  }

  /** An organization that is suspended or goes away can be read but not changed; one that moves is used all along. */
  private async admitTenant(request: AuthenticatedRequest): Promise<boolean> {
    const { organization, actor, permissions } = await this.callers.identify(bearerToken(request));
    const writable = organization.state === 'active' || organization.state === 'moving';
    if (!writable && !READS.has(request.method)) throw organizationSuspended(organization);
    const { id: organizationId, tier } = organization;
    request.tenant = { organizationId, tier, actor };
    const consistency = this.consistency.open(organizationId, actor, request.headers['x-consistency-token']);
    this.tenant.enter({ organizationId, actor, permissions, requestId: request.id, consistency });
    return true;
  }
}
