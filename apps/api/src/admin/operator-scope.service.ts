/** Work inside an organization on behalf of the platform's operators: its own audit log names them. */
import { Injectable } from '@nestjs/common';
import { PERMISSIONS } from '#libs/identity';
import type { PlaceForHook } from '#libs/organizations';
import { TenantContextHolder } from '#libs/tenancy';

interface OperatorContext {
  readonly organizationId: string;
  readonly requestId: string;
  /** Inside a change of the directory, which does not say yet what it will. */
  readonly place?: PlaceForHook;
}

const ALL: ReadonlySet<string> = new Set(PERMISSIONS);

@Injectable()
export class OperatorScope {
  constructor(private readonly tenant: TenantContextHolder) {}

  within<T>(on: OperatorContext, work: () => Promise<T>): Promise<T> {
    return this.tenant.run({ ...on, actor: { type: 'operator', id: null }, permissions: ALL }, work);
  }
}
