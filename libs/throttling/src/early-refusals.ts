/**
 * Who hammers at a limit that is used up is refused as soon as the head of a request has been read: no body is read, no credential
 * looked up, no context opened. Thousands of such requests a second are then worth little of a process, and its other tenants
 * notice little of them. Only what the guard has refused from memory is refused here, for the same credentials at the same route, and
 * after REMEMBERED_MS the guard is asked again, so that a credential that is no longer good hears of that. So is who has so many
 * requests waiting that one more would wait for long or in vain: before it has used up anything of its rate.
 */
import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { sendProblem } from '#libs/http';
import type { StockyardError } from '#libs/kernel';
import { Directory, type Organization } from '#libs/tenancy';
import { routeActivity, UsageMeter } from '#libs/usage';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { Check, PolicyName, Verdict } from './policy';
import { RateLimitChecks, type TenantPolicy } from './rate-limit-checks';
import { RedisThrottlerStorage } from './redis-throttler.storage';
import { exceeded, rateLimitExceeded, rateLimitHeaders } from './verdict';

const REMEMBERED_MS = 1_000;
const MOST_REMEMBERED = 10_000;

/** The refusal of one more of the organization in a line in which one was too many; undefined where it may wait now. */
export type Crowd = (organization: Organization) => StockyardError | undefined;

interface Crowded {
  readonly organizationId: string;
  readonly crowd: Crowd;
}

interface Refused {
  readonly organizationId: string;
  readonly policies: readonly TenantPolicy[];
}

@Injectable()
export class EarlyRefusals {
  private readonly refused = new LRUCache<string, Refused>({ max: MOST_REMEMBERED, ttl: REMEMBERED_MS });
  private readonly crowded = new LRUCache<string, Crowded>({ max: MOST_REMEMBERED, ttl: REMEMBERED_MS });

  /** Hooks in before any route exists, as Fastify's hooks hold only for routes that come after them. */
  constructor(
    host: HttpAdapterHost,
    private readonly checks: RateLimitChecks,
    private readonly storage: RedisThrottlerStorage,
    private readonly meter: UsageMeter,
    private readonly directory: Directory,
  ) {
    host.httpAdapter.getInstance<FastifyInstance>().addHook('preParsing', (request, reply, payload, done) => {
      const key = this.refused.size + this.crowded.size === 0 ? undefined : keyOf(request);
      if (key === undefined || !(this.refused.has(key) || this.crowded.has(key))) {
        done(null, payload);
        return;
      }
      this.refuse(key, request, reply).then((isRefused) => !isRefused && done(null, payload), done);
    });
  }

  /** The guard has refused this request of the organization by `verdict`; `checks` are all that it had to pass. */
  remember(request: FastifyRequest, organizationId: string, checks: readonly Check[], verdict: Verdict): void {
    const key = keyOf(request);
    if (key === undefined || verdict.by !== 'memory') return;
    this.refused.set(key, { organizationId, policies: checks.map(({ policy }) => policy.name as TenantPolicy) });
  }

  /** The organization has too many requests in a line. */
  rememberCrowded(request: FastifyRequest, organizationId: string, crowd: Crowd): void {
    const key = keyOf(request);
    if (key !== undefined) this.crowded.set(key, { organizationId, crowd });
  }

  /** By the limits of today, as one that was raised counts at once. */
  private async refuse(key: string, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    const refused = this.refused.get(key);
    if (refused && (await this.refuseByRate(refused, request, reply))) return true;
    const crowded = this.crowded.get(key);
    return crowded !== undefined && this.refuseCrowded(crowded, request, reply);
  }

  private async refuseCrowded(
    { organizationId, crowd }: Crowded,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<boolean> {
    const organization = await this.directory.find(organizationId);
    const refusal = organization && crowd(organization);
    if (!refusal) return false;
    meterRefusal(this.meter, request, organizationId, admissionMetric(refusal));
    sendProblem(reply, refusal, request.id);
    return true;
  }

  private async refuseByRate(refused: Refused, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    const { organizationId, policies } = refused;
    const verdict = this.storage.refuseKnown(await this.checks.ofTenant(organizationId, policies));
    if (!verdict) return false;
    meterRefusal(this.meter, request, organizationId, refusalMetric(exceeded(verdict).check.policy.name));
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
  metric: string,
): void {
  meter.count(organizationId, metric, 1, routeActivity(method, routeOptions.url));
}

/** `limit`: a policy, or `concurrency`. */
export const refusalMetric = (limit: PolicyName | 'concurrency'): string => `rate_limit_exceeded_${limit}`;

/** What a refusal at admission counts as: of the tenant's own, or of what the process could not do. */
export const admissionMetric = ({ category }: StockyardError): string =>
  category === 'limited' ? refusalMetric('concurrency') : 'requests_shed';

/** Of the digest of the credentials, which are not kept; undefined for requests without. */
function keyOf({ headers, method, routeOptions }: FastifyRequest): string | undefined {
  const { authorization } = headers;
  if (authorization === undefined) return undefined;
  return `${hash('sha256', authorization, 'base64')} ${method} ${routeOptions.url}`;
}
