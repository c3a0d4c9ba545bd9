import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  AnyTenantCaller,
  type CallerService,
  credentialError,
  LinkHolders,
  Operators,
  Public,
  RequirePermission,
} from '#libs/identity';
import { newId } from '#libs/kernel';
import { unknownLink } from '#libs/storage';
import { type Organization, TenantContextHolder } from '#libs/tenancy';
import { type ClsService, ClsServiceManager } from 'nestjs-cls';
import type { AuthenticatedRequest } from './authenticated-request';
import { AuthenticationGuard } from './authentication.guard';
import { ConsistencyService } from './consistency.service';
import type { HolderService } from './holder.service';
import { PermissionGuard } from './permission.guard';

class Handlers {
  undeclared(): void {}
  @Public() open(): void {}
  @Operators() operators(): void {}
  @LinkHolders() file(): void {}
  @AnyTenantCaller() anyone(): void {}
  @RequirePermission('orders:write') orders(): void {}
}

const ADMIN_TOKEN = 'an-admin-token-for-specs';
const cls: ClsService = ClsServiceManager.getClsService();
const tenant = new TenantContextHolder(cls);
const consistency = new ConsistencyService(tenant, null, {
  MESSAGING_SECRET: 'a-messaging-secret',
  MESSAGING_SECRET_BEFORE: '',
});
const organization = { id: newId(), tier: 'starter', state: 'active' } as Organization;
const NOBODY = { type: 'system', id: null } as const;
const caller = { organization, actor: { type: 'user', id: newId() }, permissions: new Set(['orders:read']) } as const;

function guards(state: Organization['state'] = 'active') {
  const callers: Pick<CallerService, 'identify'> = {
    identify: (credential) =>
      credential === 'good'
        ? Promise.resolve({ ...caller, organization: { ...organization, state } })
        : Promise.reject(credentialError('invalid_token')),
  };
  const holders: Pick<HolderService, 'identify'> = {
    identify: (sealed) =>
      sealed === 'sealed'
        ? Promise.resolve({ organization: { ...organization, state }, actor: NOBODY, permissions: new Set() })
        : Promise.reject(unknownLink()),
  };
  const reflector = new Reflector();
  return {
    authentication: new AuthenticationGuard(
      reflector,
      callers as CallerService,
      holders as HolderService,
      tenant,
      consistency,
      { ADMIN_TOKEN },
    ),
    permission: new PermissionGuard(reflector, tenant),
  };
}

function context(
  handler: keyof Handlers,
  change: { method?: string; token?: string; type?: string; sealed?: string } = {},
) {
  const headers = change.token === undefined ? {} : { authorization: `Bearer ${change.token}` };
  const request: AuthenticatedRequest = {
    id: 'request-1',
    method: change.method ?? 'GET',
    headers,
    params: { sealed: change.sealed },
  };
  const host = {
    getType: () => change.type ?? 'http',
    getHandler: () => Handlers.prototype[handler],
    getClass: () => Handlers,
    switchToHttp: () => ({ getRequest: () => request }),
  };
  return { request, host: host as unknown as ExecutionContext };
}

const refusal = (code: string, details?: unknown) =>
  expect.objectContaining({ code, ...(details === undefined ? {} : { details }) }) as Error;

describe('AuthenticationGuard', () => {
  const admit = (...args: Parameters<typeof context>) =>
    cls.run(() => guards().authentication.canActivate(context(...args).host));

  it('refuses a handler that declares nothing, to operators and tenants too', async () => {
    for (const token of [undefined, 'good', ADMIN_TOKEN]) {
      const change = token === undefined ? {} : { token };
      await expect(admit('undeclared', change)).rejects.toEqual(refusal('access_not_declared'));
    }
  });

  it('lets anyone into public handlers, and only the admin token into those of operators', async () => {
    await expect(admit('open')).resolves.toBe(true);
    await expect(admit('operators', { token: ADMIN_TOKEN })).resolves.toBe(true);
    await expect(admit('operators', { token: 'good' })).rejects.toEqual(refusal('invalid_token'));
    await expect(admit('operators')).rejects.toEqual(refusal('authentication_required'));
    await expect(admit('anyone', { token: ADMIN_TOKEN })).rejects.toEqual(refusal('invalid_token'));
  });

  it('enters the tenant of the caller and leaves it on the request', async () => {
    await cls.run(async () => {
      const { request, host } = context('anyone', { token: 'good' });
      await guards().authentication.canActivate(host);
      const { actor, permissions } = caller;
      expect(tenant.current()).toMatchObject({
        ...{ organizationId: organization.id, actor, permissions, requestId: 'request-1' },
      });
      expect(request.tenant).toEqual({ organizationId: organization.id, tier: 'starter', actor });
    });
  });

  it('enters the tenant of a link with no permission at all, whatever token comes with it', async () => {
    for (const token of [undefined, 'good', ADMIN_TOKEN]) {
      await cls.run(async () => {
        const { request, host } = context('file', { sealed: 'sealed', ...(token !== undefined && { token }) });
        await guards().authentication.canActivate(host);
        expect(tenant.current()).toMatchObject({
          organizationId: organization.id,
          actor: NOBODY,
          permissions: new Set(),
        });
        expect(request.tenant).toEqual({ organizationId: organization.id, tier: 'starter', actor: NOBODY });
      });
      const forged = admit('file', { sealed: 'forged', ...(token !== undefined && { token }) });
      await expect(forged).rejects.toEqual(refusal('not_found'));
    }
  });

  it('lets a moving organization write: its place says when it must wait', async () => {
    const moving = guards('moving').authentication;
    const attempt = cls.run(() => moving.canActivate(context('anyone', { method: 'POST', token: 'good' }).host));
    await expect(attempt).resolves.toBe(true);
  });

  it('refuses a consistency token that was not given to this organization', async () => {
    const { host, request } = context('anyone', { token: 'good' });
    Object.assign(request, { headers: { ...request.headers, 'x-consistency-token': '1.main.1.x' } });
    const attempt = cls.run(() => guards().authentication.canActivate(host));
    await expect(attempt).rejects.toEqual(refusal('invalid_consistency_token'));
  });

  it.each(['suspended', 'deleting'] as const)('lets a %s organization read but not write', async (state) => {
    const attempt = (method: string) =>
      cls.run(() => guards(state).authentication.canActivate(context('anyone', { method, token: 'good' }).host));
    for (const method of ['GET', 'HEAD']) await expect(attempt(method)).resolves.toBe(true);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      await expect(attempt(method)).rejects.toEqual(refusal('organization_not_active'));
    }
  });

  it('leaves messages between our own processes alone', async () => {
    await expect(admit('undeclared', { type: 'rpc' })).resolves.toBe(true);
  });
});

describe('PermissionGuard', () => {
  const check = (handler: keyof Handlers, permissions: readonly string[]) =>
    tenant.run({ ...caller, organizationId: organization.id, permissions: new Set(permissions), requestId: '1' }, () =>
      guards().permission.canActivate(context(handler).host),
    );

  it('wants the permission that the handler declares, and names it', () => {
    expect(check('orders', ['orders:write'])).toBe(true);
    expect(() => check('orders', ['orders:read'])).toThrow(
      refusal('permission_denied', { permission: 'orders:write' }),
    );
  });

  it('wants none where none is declared', () => {
    expect(check('anyone', [])).toBe(true);
    expect(guards().permission.canActivate(context('open').host)).toBe(true);
  });

  it('fails rather than passes when nobody was authenticated before it', () => {
    expect(() => guards().permission.canActivate(context('orders').host)).toThrow(refusal('tenant_context_missing'));
  });
});
