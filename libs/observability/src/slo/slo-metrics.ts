/**
 * Service level indicators, as this process sees them: for each tier and objective how many requests were good and how many bad.
 * Counted are requests of tenants. Availability: bad are failures of ours (5xx, shedding included) and clients that left after
 * waiting ABANDONED_MS; what a limit of the tenant's own refused (429) is neither. Latency: of those that succeeded, good are
 * answers that began within the objective; uploads, which last as long as the client's line, do not count.
 */
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { APP_CONFIG, type AppConfig, type SloObjectives } from '#libs/config';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MetricsRegistry } from '../metrics-registry';

/** Whoever leaves earlier had other reasons. */
export const ABANDONED_MS = 10_000;

export const OBJECTIVES = ['availability', 'latency'] as const;
export type Objective = (typeof OBJECTIVES)[number];
type Tier = keyof SloObjectives;
type Outcome = 'good' | 'bad';

/** What the api's authentication leaves on the request. */
interface OfTenant {
  readonly tenant?: { readonly tier: Tier };
}

@Injectable()
export class SloMetrics {
  private readonly counts = new Map<string, number>();
  private readonly objectives: SloObjectives;

  /** Hooks in before any route exists, as Fastify's hooks hold only for routes that come after them. */
  constructor(
    host: HttpAdapterHost,
    registry: MetricsRegistry,
    @Inject(APP_CONFIG) config: Pick<AppConfig, 'sloObjectives'>,
  ) {
    this.objectives = config.sloObjectives;
    const tiers = Object.keys(this.objectives) as Tier[];
    registry.counter({
      name: 'stockyard_slo_requests_total',
      help: 'Requests of tenants that were good or bad by an objective of their tier.',
      labels: ['tier', 'objective', 'outcome'],
      read: () =>
        tiers.flatMap((tier) =>
          OBJECTIVES.flatMap((objective) =>
            (['good', 'bad'] as const).map((outcome) => ({
              labels: { tier, objective, outcome },
              value: this.counts.get(`${tier} ${objective} ${outcome}`) ?? 0,
            })),
          ),
        ),
    });
    registry.gauge({
      name: 'stockyard_slo_objective_ratio',
      help: 'Share of requests that is to be good, by tier and objective.',
      labels: ['tier', 'objective'],
      read: () =>
        tiers.flatMap((tier) =>
          OBJECTIVES.map((objective) => ({ labels: { tier, objective }, value: this.objectives[tier][objective] })),
        ),
    });
    this.listen(host.httpAdapter.getInstance<FastifyInstance>());
  }

  private listen(fastify: FastifyInstance): void {
    const answered = new WeakSet<FastifyRequest>();
    fastify.addHook('onRequest', (request, reply, done) => {
      reply.raw.once('close', () => {
        if (!answered.has(request) && reply.elapsedTime >= ABANDONED_MS) this.count(request, 'availability', 'bad');
      });
      done();
    });
    fastify.addHook('onSend', (request, reply, _payload, done) => {
      answered.add(request);
      this.answered(request, reply);
      done();
    });
  }

  private answered(request: FastifyRequest, { statusCode, elapsedTime }: FastifyReply): void {
    const { tenant } = request as OfTenant;
    if (!tenant || statusCode === 429) return;
    this.count(request, 'availability', statusCode >= 500 ? 'bad' : 'good');
    if (statusCode >= 400 || isUpload(request)) return;
    this.count(request, 'latency', elapsedTime <= this.objectives[tenant.tier].latency_ms ? 'good' : 'bad');
  }

  private count(request: FastifyRequest, objective: Objective, outcome: Outcome): void {
    const { tenant } = request as OfTenant;
    if (!tenant) return;
    const key = `${tenant.tier} ${objective} ${outcome}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }
}

function isUpload({ headers }: FastifyRequest): boolean {
  const type = headers['content-type'];
  return type !== undefined && !type.startsWith('application/json');
}
