/**
 * Counts what tenants use: in memory, written every USAGE_FLUSH_MS and at shutdown, one statement a tenant. Counts of a
 * flush that failed are kept for the next one. A process that is killed loses what it counted since its last flush;
 * a commit whose confirmation was lost is counted twice. Both are bounded by one flush of one process.
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
import { TenantContextHolder } from '#libs/tenancy';
import { type UsageIncrement, UsageRepository } from './usage.repository';

const HOUR_MS = 3_600_000;
/** Tenants written at the same time: the pool belongs to requests. */
const CONCURRENCY = 2;

type Counts = Map<string, UsageIncrement>;

@Injectable()
export class UsageMeter implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger('UsageMeter');
  private pending = new Map<string, Counts>();
  private running: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private failing = false;

  constructor(
    private readonly repository: UsageRepository,
    private readonly tenant: TenantContextHolder,
    private readonly clock: Clock,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'USAGE_FLUSH_MS'>,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => {
      if (!this.running) void this.flush();
    }, this.config.USAGE_FLUSH_MS).unref();
  }

  /** Adds `amount` (a whole number, at least 0) to a metric such as `api_calls`, in the current hour. Never throws. */
  count(organizationId: string, metric: string, amount = 1): void {
    if (!Number.isSafeInteger(amount) || amount <= 0) return;
    const periodMs = Math.floor(this.clock.nowMs() / HOUR_MS) * HOUR_MS;
    this.merge(organizationId, { metric, periodStart: new Date(periodMs), value: amount });
  }

  /** Writes what was counted before the call. Never rejects: what could not be written stays pending. */
  async flush(): Promise<void> {
    await this.running;
    this.running = this.writeAll().finally(() => (this.running = undefined));
    await this.running;
  }

  /** While requests still run: whoever reads usage during a rolling deploy sees nearly all of it. */
  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  /** After the last request. The database module must be imported before the usage module: it closes after it. */
  async onApplicationShutdown(): Promise<void> {
    await this.flush();
  }

  private merge(organizationId: string, { metric, periodStart, value }: UsageIncrement): void {
    const counts: Counts = this.pending.get(organizationId) ?? new Map<string, UsageIncrement>();
    this.pending.set(organizationId, counts);
    const key = `${periodStart.getTime()}:${metric}`;
    counts.set(key, { metric, periodStart, value: (counts.get(key)?.value ?? 0) + value });
  }

  private async writeAll(): Promise<void> {
    const waiting = [...this.pending];
    this.pending = new Map();
    let away = false;
    const writer = async () => {
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        // Without a database the rest is not tried one by one, each with its own wait.
        if (away) this.keep(...next);
        else away = (await this.write(...next)) === 'away';
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, writer));
  }

  private keep(organizationId: string, counts: Counts): void {
    for (const increment of counts.values()) this.merge(organizationId, increment);
  }

  private async write(organizationId: string, counts: Counts): Promise<'written' | 'refused' | 'away'> {
    try {
      const actor = { type: 'system', id: null } as const;
      const context = { organizationId, actor, permissions: new Set<string>(), requestId: 'usage-flush' };
      await this.tenant.run(context, () => this.repository.add([...counts.values()]));
      this.failing = false;
      return 'written';
    } catch (error) {
      this.keep(organizationId, counts);
      if (!this.failing) this.logger.warn({ err: error }, 'Usage could not be written; it is kept for the next flush.');
      this.failing = true;
      return error instanceof StockyardError && error.category === 'unavailable' ? 'away' : 'refused';
    }
  }
}
