/**
 * The tenant context: carried through every await by nestjs-cls, read through this one accessor. There is no
 * default tenant and no way to switch one inside a running context: nested work for another tenant is refused.
 */
import { Injectable } from '@nestjs/common';
import { StockyardError } from '#libs/kernel';
import { ClsService } from 'nestjs-cls';
import { ConsistencyScope } from './consistency-scope';

/** Who acts: recorded on movements and in the audit log. */
export interface Actor {
  readonly type: 'user' | 'api_key' | 'operator' | 'job' | 'system';
  readonly id: string | null;
}

export interface TenantContext {
  readonly organizationId: string;
  readonly actor: Actor;
  /** Permissions of the caller, such as `orders:write`. Jobs and operators hold what their registration says. */
  readonly permissions: ReadonlySet<string>;
  readonly requestId: string;
  /** What the caller has seen. Default: nothing is known of it, so its first read goes to a primary. */
  readonly consistency?: ConsistencyScope;
  /** Where the tenant is, before the directory says so: an organization that is being made. */
  readonly place?: { readonly shard: string; readonly epoch: number };
}

const STORE_KEY = Symbol('tenant-context');
const SCOPE_KEY = Symbol('tenant-consistency');

@Injectable()
export class TenantContextHolder {
  constructor(private readonly cls: ClsService) {}

  /** The current tenant. Throws `tenant_context_missing` (internal) outside of one: a bug, never the client's fault. */
  current(): TenantContext {
    const context = this.peek();
    if (!context) {
      throw new StockyardError({
        code: 'tenant_context_missing',
        category: 'internal',
        message: 'Tenant data was asked for outside of a tenant context.',
      });
    }
    return context;
  }

  /** The current tenant, or undefined where none is set (public routes, operators). */
  peek(): TenantContext | undefined {
    return this.cls.isActive() ? this.cls.get<TenantContext | undefined>(STORE_KEY as never) : undefined;
  }

  /** Runs work as a tenant, in a context of its own. Refused inside another tenant's context. */
  run<T>(context: TenantContext, work: () => T): T {
    this.refuseSwitch(context);
    return this.cls.run({ ifNested: 'inherit' }, () => {
      this.store(context);
      return work();
    });
  }

  /** Sets the tenant of the request that is being handled. May happen once. */
  enter(context: TenantContext): void {
    this.refuseSwitch(context);
    this.store(context);
  }

  /** What the current caller has seen. Nested work of the same tenant shares it, unless it brings its own. */
  consistency(): ConsistencyScope {
    return this.cls.get<ConsistencyScope>(SCOPE_KEY as never);
  }

  private store(context: TenantContext): void {
    const present = this.cls.get<ConsistencyScope | undefined>(SCOPE_KEY as never);
    this.cls.set(STORE_KEY, context);
    this.cls.set(SCOPE_KEY, context.consistency ?? present ?? new ConsistencyScope());
  }

  private refuseSwitch(next: TenantContext): void {
    const present = this.peek();
    if (present && present.organizationId !== next.organizationId) {
      throw new StockyardError({
        code: 'tenant_context_switch',
        category: 'internal',
        message: 'A tenant context cannot be changed to another tenant.',
      });
    }
  }
}
