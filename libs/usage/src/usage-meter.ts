/**
 * Counts what tenants use: in memory, written every USAGE_FLUSH_MS and at shutdown, one statement a tenant. A process that
 * is killed loses what it counted since its last flush, and nothing is ever counted twice: see UsageTally.
 */
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { Clock, StockyardError } from '#libs/kernel';
import { RowTally, TenantContextHolder } from '#libs/tenancy';
import { type Amount, jobActivity, WHOLE } from './activity/activity-cell';
import { UsageStopwatch } from './usage-stopwatch';
import { UsageTally } from './usage-tally';
import { UsageRepository } from './usage.repository';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Metrics that count by the minute too, and as what; every refusal of a limit is one of `refusals`. */
const AMOUNT_OF: Readonly<Record<string, Amount>> = {
  bytes_out: 'bytes_out',
  rows_read: 'rows_read',
  rows_written: 'rows_written',
  job_milliseconds: 'job_ms',
  cache_bytes: 'cache_bytes',
  requests_shed: 'refusals',
};
const REFUSED = 'rate_limit_exceeded_';
/** Tenants written at the same time: the pool belongs to requests. */
const CONCURRENCY = 2;

export interface Answered {
  readonly bytesIn: number;
  readonly durationUs: number | undefined;
  readonly failed: boolean;
}

@Injectable()
export class UsageMeter implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger('UsageMeter');
  private readonly tally = new UsageTally();
  private readonly stopwatches = new Set<UsageStopwatch>();
  private running: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private failing = false;

  constructor(
    private readonly repository: UsageRepository,
    private readonly tenant: TenantContextHolder,
    private readonly rows: RowTally,
    private readonly clock: Clock,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'USAGE_FLUSH_MS'>,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => {
      if (!this.running) void this.flush();
    }, this.config.USAGE_FLUSH_MS).unref();
  }

  /**
   * Adds `amount` (a whole number, at least 0) to a metric such as `api_calls`, in the current hour, and to the activity that it
   * is of, in the current minute. Never throws.
   */
  count(organizationId: string, metric: string, amount = 1, activity = WHOLE): void {
    if (!Number.isSafeInteger(amount) || amount <= 0) return;
    const periodMs = Math.floor(this.clock.nowMs() / HOUR_MS) * HOUR_MS;
    this.tally.add(organizationId, { metric, periodStart: new Date(periodMs), value: amount });
    const counted = metric.startsWith(REFUSED) ? 'refusals' : AMOUNT_OF[metric];
    if (counted) this.cell(organizationId, activity).amounts[counted] += amount;
  }

  /** A request that was let in. */
  called(organizationId: string, activity: string): void {
    this.count(organizationId, 'api_calls');
    this.cell(organizationId, activity).amounts.calls += 1;
  }

  /** It was answered, or broke off. `durationUs` is undefined where its time says nothing. */
  answered(organizationId: string, activity: string, answer: Answered): void {
    const cell = this.cell(organizationId, activity);
    cell.amounts.bytes_in += answer.bytesIn;
    if (answer.durationUs !== undefined) cell.ended(answer.durationUs, answer.failed);
    else if (answer.failed) cell.amounts.errors += 1;
  }

  /** Charges `job_milliseconds` from now until the returned function is called, with whether the run has failed. */
  job(organizationId: string, type: string): (failed: boolean) => void {
    const activity = jobActivity(type);
    const began = performance.now();
    const stopwatch = new UsageStopwatch((ms) => this.count(organizationId, 'job_milliseconds', ms, activity));
    this.stopwatches.add(stopwatch);
    return (failed) => {
      if (!this.stopwatches.delete(stopwatch)) return;
      stopwatch.stop();
      const cell = this.cell(organizationId, activity);
      cell.amounts.calls += 1;
      cell.ended((performance.now() - began) * 1_000, failed);
    };
  }

  /** Writes what was counted before the call. Never rejects: what could not be written stays for the next one. */
  async flush(): Promise<void> {
    await this.running;
    this.running = this.writeAll().finally(() => (this.running = undefined));
    await this.running;
  }

  /**
   * While requests still run: whoever reads usage during a rolling deploy sees nearly all of it. Flushes go on, as requests may take
   * as long as the grace, and whoever is killed at its end has lost no more than at any other time.
   */
  async beforeApplicationShutdown(): Promise<void> {
    await this.flush();
  }

  /** After the last request. The database module must be imported before the usage module: it closes after it. */
  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  private cell(organizationId: string, activity: string) {
    return this.tally.cell(organizationId, activity, Math.floor(this.clock.nowMs() / MINUTE_MS) * MINUTE_MS);
  }

  private async writeAll(): Promise<void> {
    for (const stopwatch of this.stopwatches) stopwatch.lap();
    for (const [organizationId, { read, written, queries, databaseUs }] of this.rows.drain()) {
      this.count(organizationId, 'rows_read', read);
      this.count(organizationId, 'rows_written', written);
      const { amounts } = this.cell(organizationId, WHOLE);
      amounts.queries += queries;
      amounts.database_us += Math.round(databaseUs);
    }
    const waiting = this.tally.tenants();
    let away = false;
    const writer = async () => {
      // Without a database the rest is not tried one by one, each with its own wait.
      for (let next = waiting.pop(); next !== undefined && !away; next = waiting.pop()) {
        away = (await this.writeTenant(next)) === 'away';
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, writer));
  }

  /** What is owed from an earlier flush, then what was counted since. */
  private async writeTenant(organizationId: string): Promise<'written' | 'refused' | 'away'> {
    for (let batches = this.tally.isOwing(organizationId) ? 2 : 1; batches > 0; batches -= 1) {
      const outcome = await this.writeNext(organizationId);
      if (outcome !== 'written') return outcome;
    }
    return 'written';
  }

  private async writeNext(organizationId: string): Promise<'written' | 'refused' | 'away'> {
    const batch = this.tally.next(organizationId);
    if (!batch) return 'written';
    try {
      const actor = { type: 'operator', id: null } as const; // whose writes a suspended organization's place lets in
      const context = { organizationId, actor, permissions: new Set<string>(), requestId: 'usage-flush' };
      await this.tenant.run(context, () => this.repository.apply(batch));
      this.tally.confirm(organizationId);
      this.failing = false;
      return 'written';
    } catch (error) {
      return this.failed(organizationId, error);
    }
  }

  private failed(organizationId: string, error: unknown): 'refused' | 'away' {
    const category = error instanceof StockyardError ? error.category : undefined;
    if (category === 'not_found') this.tally.forget(organizationId);
    else if (!this.failing) {
      this.failing = true;
      this.logger.warn({ err: error }, 'Usage could not be written; it is kept for the next flush.');
    }
    return category === 'unavailable' ? 'away' : 'refused';
  }
}
