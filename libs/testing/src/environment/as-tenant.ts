/** Runs work as a tenant in specs of services, as the guards of the api would set it up. */
import type { INestApplicationContext } from '@nestjs/common';
import { newId } from '#libs/kernel';
import { TenantContextHolder } from '#libs/tenancy';

export function asTenant<T>(
  app: Pick<INestApplicationContext, 'get'>,
  organization: { readonly id: string },
  work: () => Promise<T>,
): Promise<T> {
  return app.get(TenantContextHolder).run(
    {
      organizationId: organization.id,
      actor: { type: 'system', id: null },
      permissions: new Set(),
      requestId: newId(),
    },
    work,
  );
}
