/**
 * Jobs that nobody waits for give way to requests: while some api process answers requests, those of the classes `normal`, `low` and
 * `bulk` run as wide as DelayPace finds for their shard. Without requests, or without a Redis that says whether there are any, they run
 * as wide as configured. `critical` and `high` never wait here.
 */
import { Inject, Injectable, Logger, type OnApplicationShutdown, Optional } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { Shards } from '#libs/database';
import { MetricsRegistry, SignalReader } from '#libs/observability';
import { classConcurrency, JOB_CLASSES, type JobClass } from '../job-class';
import { DelayPace } from './delay-pace';
import { type LeavePace, PaceGate } from './pace-gate';
import { Ticket } from './turns';

const GIVES_WAY: ReadonlySet<JobClass> = new Set(['normal', 'low', 'bulk']);
/** Requests a second of all api processes from which on jobs give way. */
const SOME_REQUESTS = 1;
const LISTEN_MS = 5_000;
const SAMPLE_MS = 50;
/** A shard on which no job has run for so long is not sampled. */
const IDLE_MS = 2_000;
const FREE: LeavePace = () => undefined;

interface ShardPace {
  readonly pace: DelayPace;
  readonly gates: ReadonlyMap<JobClass, PaceGate>;
  usedAt: number;
  /** When the statement that has no answer yet was sent. */
  askedAt: number | undefined;
}

/** Whose a job is. */
export interface JobSeat {
  readonly tenant: string;
  readonly shard: string;
  /** Of the tenant's tier. */
  readonly weight: number;
}

/** A job's way through the gate. */
export interface PacedRun {
  /** Between two steps: gives others their turn. */
  again(): Promise<void>;
  end(): void;
}

@Injectable()
export class JobPace implements OnApplicationShutdown {
  private readonly logger = new Logger('JobPace');
  private readonly paces = new Map<string, ShardPace>();
  private readonly slots: Readonly<Record<JobClass, number>>;
  private givesWay = false;
  private timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly shards: Shards,
    private readonly signals: SignalReader,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
    @Optional() registry?: MetricsRegistry,
  ) {
    this.slots = classConcurrency(config);
    registry?.gauge({
      name: 'stockyard_job_pace_width',
      help: 'Jobs of a class at once that give way to requests; below 1 the share of the time in which one runs.',
      labels: ['shard'],
      read: () => [...this.paces].map(([shard, { pace }]) => ({ labels: { shard }, value: pace.width })),
    });
  }

  /** Resolves when jobs may begin: it is known whether there are requests. */
  async start(): Promise<void> {
    if (this.config.JOB_PACE_DELAY_MS === 0) return;
    await this.listen();
    this.timers = [
      setInterval(() => void this.listen(), LISTEN_MS).unref(),
      setInterval(() => this.sample(), SAMPLE_MS).unref(),
    ];
  }

  onApplicationShutdown(): void {
    for (const timer of this.timers) clearInterval(timer);
  }

  /** Waits for the turn of a job. `signal`: what stops does not wait. */
  async run(jobClass: JobClass, { tenant, shard, weight }: JobSeat, signal: AbortSignal): Promise<PacedRun> {
    const ticket = new Ticket(tenant, weight);
    const enter = () => this.enter(jobClass, shard, ticket, signal);
    let leave = await enter();
    return {
      again: async () => {
        const next = enter(); // it waits before it leaves: whose turn is next is decided with it
        leave();
        leave = await next;
      },
      end: () => leave(),
    };
  }

  private enter(
    jobClass: JobClass,
    shard: string,
    ticket: Ticket,
    signal: AbortSignal,
  ): Promise<LeavePace> | LeavePace {
    if (!this.givesWay || !GIVES_WAY.has(jobClass)) return FREE;
    const known = this.paceOf(shard);
    const now = performance.now();
    if (now - known.usedAt > IDLE_MS) known.pace.forget();
    known.usedAt = now;
    return known.gates.get(jobClass)!.enter(ticket, signal);
  }

  private paceOf(shard: string): ShardPace {
    const known = this.paces.get(shard);
    if (known) return known;
    const pace = new DelayPace(
      Math.max(...[...GIVES_WAY].map((one) => this.slots[one])),
      this.config.JOB_PACE_DELAY_MS,
    );
    const gate = (jobClass: JobClass) =>
      new PaceGate(() => (this.givesWay ? Math.min(pace.width, this.slots[jobClass]) : this.slots[jobClass]));
    const gates = new Map(JOB_CLASSES.filter((one) => GIVES_WAY.has(one)).map((one) => [one, gate(one)]));
    const made: ShardPace = { pace, gates, usedAt: performance.now(), askedAt: undefined };
    this.paces.set(shard, made);
    return made;
  }

  private async listen(): Promise<void> {
    try {
      const processes = await this.signals.processes();
      const requests = processes.reduce((sum, one) => sum + (one.process === 'api' ? one.requests_per_second : 0), 0);
      this.givesWay = requests >= SOME_REQUESTS;
    } catch (error) {
      this.logger.debug({ err: error }, 'Nobody says whether there are requests');
      this.givesWay = false;
    }
    if (!this.givesWay) for (const known of this.paces.values()) wake(known);
  }

  private sample(): void {
    if (!this.givesWay) return;
    const now = performance.now();
    for (const [shard, known] of this.paces) {
      if ([...known.gates.values()].some((gate) => gate.busy)) known.usedAt = now;
      if (now - known.usedAt > IDLE_MS) continue;
      if (known.askedAt === undefined) void this.ask(shard, known);
      else known.pace.sample(now - known.askedAt, now); // no answer is an answer
    }
  }

  private async ask(shard: string, known: ShardPace): Promise<void> {
    const monitor = this.shards.find(shard)?.primary?.pool('monitor');
    if (!monitor) return; // what needs it waits by itself
    const askedAt = performance.now();
    known.askedAt = askedAt;
    try {
      await monitor.query('select');
      const now = performance.now();
      known.pace.sample(now - askedAt, now);
    } catch (error) {
      this.logger.debug({ err: error }, 'A shard does not say how busy it is');
    }
    known.askedAt = undefined;
    wake(known);
  }
}

function wake({ gates }: ShardPace): void {
  for (const gate of gates.values()) gate.wake();
}
