/**
 * Stands between authentication and permissions. Every request of a tenant passes `api`, `api_calls_per_hour` and what its handler names; public
 * handlers pass `auth` or `session` where they name it; holders of links pass `link`; operators and probes pass. All checks of a request are one round trip, and
 * one that is refused costs nothing.
 */
import { type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  InjectThrottlerOptions,
  InjectThrottlerStorage,
  ThrottlerGuard,
  type ThrottlerModuleOptions,
} from '@nestjs/throttler';
import { type TenantContext, TenantContextHolder } from '#libs/tenancy';
import { UsageMeter } from '#libs/usage';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { declaredAccess } from './declared-access';
import { EarlyRefusals, meterRefusal, refusalMetric } from './early-refusals';
import type { Check, Verdict } from './policy';
import { type Attempt, RateLimitChecks, type SessionUse } from './rate-limit-checks';
import { type NamedPolicy, RATE_LIMIT_KEY } from './rate-limit.decorator';
import { RedisThrottlerStorage } from './redis-throttler.storage';
import { exceeded, rateLimitExceeded, rateLimitHeaders } from './verdict';

const EVERY_REQUEST = ['api', 'api_calls_per_hour'] as const;

@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() private readonly storage: RedisThrottlerStorage,
    reflector: Reflector,
    protected readonly checks: RateLimitChecks,
    protected readonly tenant: TenantContextHolder,
    protected readonly meter: UsageMeter,
    protected readonly early: EarlyRefusals,
  ) {
    super(options, storage, reflector);
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    if (await this.shouldSkip(context)) return true;
    const checks = await this.checksOf(context);
    if (checks.length === 0) return true;
    const verdict = await this.storage.take(checks);
    this.sendHeaders(context, verdict);
    if (!verdict.admitted) this.refuse(context, checks, verdict);
    return true;
  }

  /** Messages between our own processes are not limited. */
  protected override shouldSkip(context: ExecutionContext): Promise<boolean> {
    return Promise.resolve(context.getType() !== 'http');
  }

  /** The checks of this request; none lets it pass. */
  protected async checksOf(context: ExecutionContext): Promise<Check[]> {
    const named =
      this.reflector.getAllAndOverride<readonly NamedPolicy[] | undefined>(RATE_LIMIT_KEY, [
        context.getHandler(),
        context.getClass(),
      ]) ?? [];
    const caller = this.tenant.peek();
    if (caller) {
      const ofCaller = [...EVERY_REQUEST, ...(this.permitted(context, caller) ? named.filter(isOfTenant) : [])];
      return this.checks.ofTenant(caller.organizationId, this.isByLink(context) ? ['link'] : ofCaller);
    }
    if (named.includes('session')) return this.checks.ofSession(await this.sessionUseOf(context));
    return named.includes('auth') ? this.checks.ofAttempt(await this.attemptOf(context)) : [];
  }

  /** Whoever holds a link of a tenant uses up nothing of what the tenant may call. */
  protected isByLink(context: ExecutionContext): boolean {
    return declaredAccess(this.reflector, context)?.kind === 'link';
  }

  /** Whether the caller may do it at all: who may not, uses up no quota of the dear policies on the way to its refusal. */
  protected permitted(context: ExecutionContext, { permissions }: TenantContext): boolean {
    const permission = declaredAccess(this.reflector, context)?.permission;
    return !permission || permissions.has(permission);
  }

  /** Who tries to log in. */
  protected async attemptOf(context: ExecutionContext): Promise<Attempt> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const [organization, email] = [textIn(request, 'organization'), textIn(request, 'email')];
    return { address: await this.getTracker(request), organization, email };
  }

  /** Whose session it is. */
  protected async sessionUseOf(context: ExecutionContext): Promise<SessionUse> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    return { address: await this.getTracker(request), token: textIn(request, 'refresh_token') };
  }

  protected sendHeaders(context: ExecutionContext, verdict: Verdict): void {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    for (const [name, value] of Object.entries(rateLimitHeaders(verdict))) reply.header(name, value);
  }

  /** Throws `rate_limit_exceeded` or `limit_exceeded`. */
  protected refuse(context: ExecutionContext, checks: readonly Check[], verdict: Verdict): never {
    const organizationId = this.tenant.peek()?.organizationId;
    if (organizationId !== undefined) {
      const request = context.switchToHttp().getRequest<FastifyRequest>();
      meterRefusal(this.meter, request, organizationId, refusalMetric(exceeded(verdict).check.policy.name));
      // Whose a link is says the link, whatever credentials come with it.
      if (!this.isByLink(context)) this.early.remember(request, organizationId, checks, verdict);
    }
    throw rateLimitExceeded(verdict);
  }
}

/** Of a body that was not validated yet, so nothing of it is taken on trust. */
function textIn({ body }: FastifyRequest, field: string): string | undefined {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, field) : undefined;
  return typeof value === 'string' ? value : undefined;
}

function isOfTenant(policy: NamedPolicy): policy is Exclude<NamedPolicy, 'session'> {
  return policy !== 'session';
}
