import { newId } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';
import { ClsServiceManager } from 'nestjs-cls';
import type { AuditRepository, NewAuditRecord } from './audit.repository';
import { AuditService } from './audit.service';

const refusal = (code: string) => expect.objectContaining({ code }) as Error;

describe('AuditService', () => {
  const tenant = new TenantContextHolder(ClsServiceManager.getClsService());
  const context = {
    organizationId: newId(),
    actor: { type: 'user', id: newId() },
    permissions: new Set<string>(),
    requestId: 'request-1',
  } as const;
  const written: NewAuditRecord[] = [];
  const repository: Pick<AuditRepository, 'insert'> = {
    insert: (record) => {
      written.push(record);
      return Promise.resolve();
    },
  };
  const audit = new AuditService(repository as AuditRepository, tenant);

  it('takes actor and request from the tenant context', async () => {
    await tenant.run(context, () => audit.record({ action: 'thing.done', targetType: 'thing', targetId: '1' }));
    expect(written).toEqual([
      expect.objectContaining({
        action: 'thing.done',
        actorType: 'user',
        actorId: context.actor.id,
        requestId: 'request-1',
      }),
    ]);
  });

  it('refuses outside of a tenant context', () => {
    expect(() => audit.record({ action: 'thing.done', targetType: 'thing', targetId: null })).toThrow(
      refusal('tenant_context_missing'),
    );
  });

  it.each(['password', 'secret', 'refresh_token', 'secret_hash', 'newPassword'])('refuses data named %s', (name) => {
    const entry = { action: 'thing.done', targetType: 'thing', targetId: null, data: { [name]: 'x' } };
    expect(() => tenant.run(context, () => audit.statement(entry))).toThrow(refusal('audit_data_unsafe'));
  });
});
