/** Before a request takes anybody's place: the caller must hold the permission that the handler declares. */
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Access, ACCESS_KEY, permissionDenied } from '#libs/identity';
import { TenantContextHolder } from '#libs/tenancy';

@Injectable()
export class PermissionGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tenant: TenantContextHolder,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS_KEY, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (access?.kind !== 'tenant' || access.permission === null) return true;
    if (!this.tenant.current().permissions.has(access.permission)) throw permissionDenied(access.permission);
    return true;
  }
}
