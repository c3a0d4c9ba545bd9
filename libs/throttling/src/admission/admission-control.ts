/**
 * Admits requests to this process: first one of the tenant's own slots (`max_concurrent_requests`, across all processes), then a
 * place at the gate of the process. What a request holds is given back when its answer begins or ends, whatever becomes of it.
 */
import { Inject, Injectable, Optional } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { StockyardError } from '#libs/kernel';
import { MetricsRegistry } from '#libs/observability';
import { Directory, type Limits, type Organization, type ReleaseSlot, RequestShare, TIER_LIMITS } from '#libs/tenancy';
import { routeActivity, UsageMeter } from '#libs/usage';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { admissionMetric, type Crowd, EarlyRefusals, meterRefusal } from '../early-refusals';
import { Replicas } from '../replicas';
import { AdmissionGate, type Leave } from './admission-gate';
import { showAdmission } from './admission-metrics';
import type { Admission } from './admission.decorator';

type Settings = Pick<AppConfig, 'ADMISSION_MAX_CONCURRENCY' | 'ADMISSION_QUEUE' | 'ADMISSION_WAIT_MS'>;

export interface Arrival {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly admission: Admission;
  /** Whose it is says a link, not its credentials. */
  readonly byLink: boolean;
  /** Undefined for callers without an organization. */
  readonly organizationId: string | undefined;
}

@Injectable()
export class AdmissionControl {
  readonly gate: AdmissionGate;
  private readonly inside = new WeakMap<FastifyRequest, Leave>();

  /** Hooks in before any route exists, as Fastify's hooks hold only for routes that come after them. */
  constructor(
    host: HttpAdapterHost,
    private readonly directory: Directory,
    private readonly meter: UsageMeter,
    private readonly early: EarlyRefusals,
    @Inject(Replicas) private readonly replicas: Pick<Replicas, 'count'>,
    @Inject(APP_CONFIG) config: Settings,
    @Optional() private readonly share?: RequestShare,
    @Optional() registry?: MetricsRegistry,
  ) {
    const waited = showAdmission(registry, () => this.gate.snapshot());
    this.gate = new AdmissionGate(
      {
        maxConcurrency: config.ADMISSION_MAX_CONCURRENCY,
        places: config.ADMISSION_QUEUE,
        waitMs: config.ADMISSION_WAIT_MS,
      },
      waited,
    );
    host.httpAdapter.getInstance<FastifyInstance>().addHook('onSend', (request, reply, _payload, done) => {
      this.inside.get(request)?.(reply.statusCode < 400);
      done();
    });
  }

  /** Resolves when the request may be worked on. Throws `limit_exceeded` (429) or `overloaded` (503). */
  async admit(arrival: Arrival): Promise<void> {
    const { request, reply, admission, organizationId } = arrival;
    const organization = organizationId === undefined ? undefined : await this.directory.find(organizationId);
    const slot = organization ? await this.slot(arrival, organization) : () => undefined;
    const leave = await this.enter(arrival, organization?.limits ?? TIER_LIMITS.free).catch((error: unknown) => {
      slot();
      throw error;
    });
    const { holds = 'place' } = admission;
    if (holds === 'place') this.inside.set(request, leave);
    else leave(false);
    if (holds === 'nothing') slot();
    const end = () => {
      leave(false);
      slot();
    };
    reply.raw.once('close', end);
    if (!reply.raw.destroyed) return;
    end();
    throw abandoned();
  }

  private async slot(arrival: Arrival, organization: Organization): Promise<ReleaseSlot> {
    const { share } = this;
    if (!share) return () => undefined;
    try {
      return await share.take(organization.id, organization.limits.maxConcurrentRequests);
    } catch (error) {
      this.refused(arrival, organization.id, error, ({ id, limits }) =>
        share.refusal(id, limits.maxConcurrentRequests),
      );
      throw error;
    }
  }

  private async enter(arrival: Arrival, limits: Limits): Promise<Leave> {
    const { request, admission, organizationId } = arrival;
    const { priority } = admission;
    const tenant = organizationId ?? request.ip;
    try {
      return await this.gate.enter({
        ...{ tenant, priority, route: routeOf(request), weight: limits.schedulingWeight },
        perSecond: limits.requestsPerMinute / 60 / this.replicas.count,
      });
    } catch (error) {
      this.refused(arrival, organizationId, error, () => this.gate.refuseCrowded({ tenant, priority }));
      throw error;
    }
  }

  private refused(
    { request, byLink }: Arrival,
    organizationId: string | undefined,
    error: unknown,
    crowd: Crowd,
  ): void {
    if (organizationId === undefined || !(error instanceof StockyardError)) return;
    meterRefusal(this.meter, request, organizationId, admissionMetric(error));
    if (!byLink) this.early.rememberCrowded(request, organizationId, crowd);
  }
}

function routeOf({ method, routeOptions }: FastifyRequest): string {
  return routeActivity(method, routeOptions.url);
}

/** Nobody reads this answer; it keeps the handler from working for nobody. */
function abandoned(): StockyardError {
  return new StockyardError({
    code: 'request_abandoned',
    category: 'invalid',
    message: 'The client went away while its request waited for its turn.',
  });
}
