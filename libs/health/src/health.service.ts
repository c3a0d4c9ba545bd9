/**
 * The health of what this process depends on. Checks run in parallel, for a second at most; a report is good for a
 * second, and all who ask meanwhile share it, so that probes never become a load.
 */
import { Inject, Injectable, Logger, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { type Dependency, type DependencyFault, type DependencyName, faultOf } from './dependency';

/** The list of what this process depends on. */
export const PROCESS_DEPENDENCIES = Symbol('PROCESS_DEPENDENCIES');

const TIMEOUT_MS = 1_000;
const FRESH_MS = 1_000;

export interface DependencyHealth {
  readonly status: 'ok' | 'error';
  readonly latency_ms: number;
  readonly error?: DependencyFault;
}

export interface HealthReport {
  /** `degraded`: something is out that work goes on without; `unhealthy`: there is no primary. */
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly checks: Readonly<Partial<Record<DependencyName, DependencyHealth>>>;
  readonly timestamp: string;
  readonly version: string;
}

/** What an indicator says beside terminus's own `status`. */
type Detail = Omit<DependencyHealth, 'status'>;
type Details = Record<string, { status: string } & Partial<Detail>>;

@Injectable()
export class HealthService {
  private readonly logger = new Logger('Health');
  private current: { readonly report: Promise<HealthReport>; readonly at: number } | undefined;
  private lastStatus: HealthReport['status'] = 'healthy';

  constructor(
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'version'>,
    @Inject(PROCESS_DEPENDENCIES) private readonly dependencies: readonly Dependency[],
  ) {}

  /** Never rejects. */
  report(): Promise<HealthReport> {
    const now = performance.now();
    if (!this.current || now - this.current.at >= FRESH_MS) this.current = { report: this.make(), at: now };
    return this.current.report;
  }

  private async make(): Promise<HealthReport> {
    const details = await this.details();
    const unhealthy = this.dependencies.some(({ name, vital }) => vital && details[name]?.status !== 'up');
    const degraded = this.dependencies.some(({ name }) => details[name]?.status !== 'up');
    const status = unhealthy ? 'unhealthy' : degraded ? 'degraded' : 'healthy';
    const checks = Object.fromEntries(
      this.dependencies.map(({ name }) => {
        const { status: up, latency_ms = 0, error } = details[name] ?? { status: 'down' };
        const health: DependencyHealth = { status: up === 'up' ? 'ok' : 'error', latency_ms, ...(error && { error }) };
        return [name, health];
      }),
    );
    if (status !== this.lastStatus) this.logger.warn({ checks }, `This process is ${status}.`);
    this.lastStatus = status;
    return { status, checks, timestamp: new Date().toISOString(), version: this.config.version };
  }

  private async details(): Promise<Details> {
    try {
      const result = await this.checks.check(this.dependencies.map((dependency) => () => this.indicate(dependency)));
      return result.details as Details;
    } catch (error) {
      if (!(error instanceof ServiceUnavailableException)) throw error;
      return (error.getResponse() as { details: Details }).details; // terminus throws for what is down
    }
  }

  private async indicate({ name, vital, check }: Dependency): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check(name);
    const begun = performance.now();
    let fault: DependencyFault = 'timeout'; // unless the check itself says otherwise in time
    const attempt = async () => {
      try {
        await check();
      } catch (error) {
        fault = faultOf(error);
        throw error;
      }
    };
    const outcome = await indicator.attempt(attempt).withTimeout(TIMEOUT_MS);
    const detail: Detail = { latency_ms: Math.round(performance.now() - begun) };
    if (outcome[name].status === 'up') return indicator.up(detail);
    const failed: Detail = { ...detail, error: fault };
    return vital ? indicator.down(failed) : indicator.degraded(failed);
  }
}
