/**
 * Who hammers at a limit that is used up is refused as soon as the head of a request has been read: no body is read, no credential
 * looked up, no context opened. Thousands of such requests a second are then worth little of a process, and its other tenants
 * notice little of them. Only what the guard has refused from memory is refused here, for the same credentials at the same route, and
 * after REMEMBERED_MS the guard is asked again, so that a credential that is no longer good hears of that.
 */
import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { sendProblem } from '#libs/http';
import { routeActivity, UsageMeter } from '#libs/usage';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { Check, Verdict } from './policy';
import { RateLimitChecks, type TenantPolicy } from './rate-limit-checks';
import { RedisThrottlerStorage } from './redis-throttler.storage';
import { exceeded, rateLimitExceeded, rateLimitHeaders } from './verdict';

const REMEMBERED_MS = 1_000;
const MOST_REMEMBERED = 10_000;

interface Refused {
  readonly organizationId: string;
  readonly policies: readonly TenantPolicy[];
}

@Injectable()
export class EarlyRefusals {
  private readonly refused = new LRUCache<string, Refused>({ max: MOST_REMEMBERED, ttl: REMEMBERED_MS });

  /** Hooks in before any route exists, as Fastify's hooks hold only for routes that come after them. */
  constructor(
    host: HttpAdapterHost,
    private readonly checks: RateLimitChecks,
    private readonly storage: RedisThrottlerStorage,
    private readonly meter: UsageMeter,
  ) {
    host.httpAdapter.getInstance<FastifyInstance>().addHook('preParsing', (request, reply, payload, done) => {
      const key = this.refused.size === 0 ? undefined : keyOf(request);
      const refused = key === undefined ? undefined : this.refused.get(key);
      if (!refused) {
        done(null, payload);
        return;
      }
      this.refuse(refused, request, reply).then((isRefused) => !isRefused && done(null, payload), done);
    });
  }

  /** The guard has refused this request of the organization by `verdict`; `checks` are all that it had to pass. */
  remember(request: FastifyRequest, organizationId: string, checks: readonly Check[], verdict: Verdict): void {
    const key = keyOf(request);
    if (key === undefined || verdict.by !== 'memory') return;
    this.refused.set(key, { organizationId, policies: checks.map(({ policy }) => policy.name as TenantPolicy) });
  }

  /** By the limits of today, as one that was raised counts at once. */
  private async refuse(refused: Refused, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    const { organizationId, policies } = refused;
    const verdict = this.storage.refuseKnown(await this.checks.ofTenant(organizationId, policies));
    if (!verdict) return false;
    meterRefusal(this.meter, request, organizationId, verdict);
    reply.headers(rateLimitHeaders(verdict));
    sendProblem(reply, rateLimitExceeded(verdict), request.id);
    return true;
  }
}

/** Counts a refusal for the organization that it was of. */
export function meterRefusal(
  meter: UsageMeter,
  { method, routeOptions }: FastifyRequest,
  organizationId: string,
  verdict: Verdict,
): void {
  const { name } = exceeded(verdict).check.policy;
  meter.count(organizationId, `rate_limit_exceeded_${name}`, 1, routeActivity(method, routeOptions.url));
}

/** Of the digest of the credentials, which are not kept; undefined for requests without. */
function keyOf({ headers, method, routeOptions }: FastifyRequest): string | undefined {
  const { authorization } = headers;
  if (authorization === undefined) return undefined;
  return `${hash('sha256', authorization, 'base64')} ${method} ${routeOptions.url}`;
}
