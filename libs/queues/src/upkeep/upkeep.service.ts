/**
 * Upkeep: partitions ahead of time and those that have served, and every tenant's tasks. Runs at boot, each hour, and when
 * Redis comes back; a lease in Redis lets one worker do it for all. A Redis that lost its data lost the lease too, so its lost jobs
 * are found. One that came back from a restart has another run id than the lease says, and so has a cluster of which a node did, or
 * where a replica took over: whoever sees that first has the jobs looked for that may have been lost.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { type RedisClient, redisKey, redisRunIds, ServerWatch } from '#libs/redis';
import { Directory, type Organization, type RegionConfig, Regions, TenantContextHolder } from '#libs/tenancy';
import { PRODUCER_REDIS } from '../connection/queue-connection';
import { PartitionUpkeep } from './partition-upkeep';
import { type TenantTask, UpkeepTasks } from './upkeep-tasks';

const TICK_MS = 60_000;
const LEASE_MS = 55 * 60_000;
/** Until the next look while Redis, or a part of it, does not answer. */
const RETRY_MS = 5_000;
/** From a restart of Redis until lost jobs are looked for: longer than the age from which a job counts as lost. */
const SETTLES_MS = 15_000;

@Injectable()
export class UpkeepService {
  private readonly logger = new Logger('Upkeep');
  private readonly regions: Regions;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again: NodeJS.Timeout | undefined;
  private servers: ServerWatch | undefined;
  private readonly stopped = new AbortController();
  private readonly look = () => void this.tick();

  constructor(
    @Inject(PRODUCER_REDIS) private readonly redis: RedisClient,
    @Inject(APP_CONFIG) private readonly config: Pick<AppConfig, 'REDIS_KEY_PREFIX'> & RegionConfig,
    private readonly partitions: PartitionUpkeep,
    private readonly directory: Directory,
    private readonly tenant: TenantContextHolder,
    private readonly tasks: UpkeepTasks,
  ) {
    this.regions = new Regions(config);
  }

  start(): void {
    this.servers = new ServerWatch(this.redis, { ready: this.look, tookOver: this.look });
    this.timer = setInterval(this.look, TICK_MS);
    this.look();
  }

  /** Ends after the task at hand. */
  async stop(): Promise<void> {
    this.stopped.abort();
    this.servers?.close();
    clearInterval(this.timer);
    clearTimeout(this.again);
    await this.running;
  }

  /** Runs everything if no worker has within the hour. Never throws: what fails is logged and comes up again. */
  tick(): Promise<void> {
    this.running ??= this.runLeased().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async runLeased(): Promise<void> {
    const key = redisKey(this.config.REDIS_KEY_PREFIX, 'upkeep', null, 'lease');
    try {
      const runIds = await redisRunIds(this.redis);
      if ((await this.redis.set(key, runIds, 'PX', LEASE_MS, 'NX')) === 'OK') await this.runAll();
      else if ((await this.redis.get(key)) === runIds) return;
      else if ((await this.redis.set(key, runIds, 'KEEPTTL', 'GET')) !== runIds) await this.runAfterRestart();
      if (this.stopping) await this.redis.del(key); // half done: the next worker begins at once
    } catch {
      // Redis is away, or this process is going
      clearTimeout(this.again);
      if (!this.stopping) this.again = setTimeout(this.look, RETRY_MS);
    }
  }

  private get stopping(): boolean {
    return this.stopped.signal.aborted;
  }

  private async runAll(): Promise<void> {
    await this.attempt('partitions', () => this.partitions.run());
    await this.attempt('tenants', () => this.visitTenants(this.tasks.all()));
  }

  private async runAfterRestart(): Promise<void> {
    this.logger.warn('The Redis of the queues was restarted; jobs that it may have lost are looked for');
    await delay(SETTLES_MS, undefined, { signal: this.stopped.signal }).catch(() => undefined);
    const tasks = this.tasks.all().filter(({ afterRestart }) => afterRestart);
    await this.attempt('jobs after a restart', () => this.visitTenants(tasks));
  }

  private async visitTenants(tasks: readonly TenantTask[]): Promise<void> {
    for await (const organization of this.directory.all()) {
      if (!this.regions.serves(organization)) continue;
      for (const task of tasks) {
        if (this.stopping) return;
        await this.attempt(task.name, () => this.visit(organization, task));
      }
    }
  }

  private visit(organization: Organization, task: TenantTask): Promise<void> {
    const context = {
      organizationId: organization.id,
      actor: { type: 'system', id: null },
      permissions: new Set<string>(),
      requestId: newId(),
    } as const;
    return this.tenant.run(context, () => task.run(organization));
  }

  private async attempt(task: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn({ task, err: error }, 'Upkeep failed; it will be tried again');
    }
  }
}
