/**
 * Rounds of the nine tenants alone, and of the nine with the tenth. Between rounds the jobs of the tenth are held, what is under way
 * ends, and its minute and its queue are filled up again, so that each loud round begins with the worst that its limits allow.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { TestEnvironment } from '#libs/testing';
import { waitFor } from '#libs/local-stack';
import type { Queue } from 'bullmq';
import type { Load } from './load';
import type { LoadReport, OpenPlan } from './load-plan';
import { type Position, positionOf, type RanJob } from './job-positions';
import type { ProcessorUse } from './processor-use';
import { ROUND_KINDS, type RoundKind } from './round-kind';
import type { Tenant, Tenants } from './tenants';

export interface Scenario {
  readonly environment: TestEnvironment;
  readonly url: string;
  readonly tenants: Tenants;
  readonly nine: readonly Tenant[];
  readonly tenth: Tenant;
  /** Load processes. */
  readonly ofNine: Load;
  readonly ofTenth: Load;
  /** Of the class that all jobs are of. */
  readonly queue: Queue;
  readonly use: ProcessorUse;
  readonly seconds: number;
  /** Requests a second of all nine, and of the tenth. */
  readonly ratePerSecond: number;
  readonly tenthPerSecond: number;
  /** What the tier allows. */
  readonly requestsPerMinute: number;
  readonly waitingJobs: number;
  /** That the nine make in a loud round. */
  readonly jobs: number;
}

export interface Round {
  readonly nine: LoadReport;
  readonly tenth: LoadReport | undefined;
  readonly positions: readonly Position[];
}

const LEAD_MS = 300;
/**
 * The nine are at it when a round begins: their connections are open, and so are those of the api to Postgres, which a pool closes
 * after ten seconds without requests. Before a loud round the queue of the tenth is filled, which takes longer than that.
 */
const LEAD_IN_S = 3;
/** Looks in a row, a tenth of a second apart, that find the api idle. */
const IDLE_LOOKS = 10;
const BUSY = "select from pg_stat_activity where application_name = 'stockyard-api' and state = 'active' limit 1";
const MOST_OF_NINE = 2_000;
const MOST_OF_TENTH = 1_000;

export class Rounds {
  private readonly played = new Map<RoundKind, Promise<Round>[]>(ROUND_KINDS.map((kind) => [kind, []]));

  constructor(private readonly scenario: Scenario) {}

  /** Rounds of each kind. */
  get made(): number {
    return Math.min(...[...this.played.values()].map(({ length }) => length));
  }

  /** The round of that kind and number; played when it is asked for the first time. */
  round(kind: RoundKind, number: number): Promise<Round> {
    return (this.played.get(kind)![number] ??= this.play(number, kind));
  }

  all(): Promise<Round[]> {
    return Promise.all([...this.played.values()].flat());
  }

  /**
   * What is there in steady operation: what is known of the nine is in memory, and the code that lets a loud tenant wait, refuses it
   * and runs its jobs has been compiled. A loud round that is not counted does it.
   */
  async warmUp(): Promise<void> {
    await this.play(-1, 'loud');
  }

  /** No job begins any more, and none is under way. */
  async hold(): Promise<void> {
    const { queue } = this.scenario;
    await queue.pause();
    await waitFor(async () => (await queue.getActiveCount()) === 0, { what: 'the running jobs to end' });
  }

  private async play(number: number, kind: RoundKind): Promise<Round> {
    const { queue, use, seconds } = this.scenario;
    const loud = kind === 'loud';
    if (loud) await this.prepare(number);
    await this.settle();
    const startAt = Date.now() + LEAD_MS + LEAD_IN_S * 1_000;
    const watch = async (): Promise<void> => {
      await pause(startAt - Date.now());
      if (loud) await queue.resume();
      const stop = await use.start(kind);
      await pause(startAt + seconds * 1_000 - Date.now()); // not what is left when the time is over
      await stop();
    };
    const [nine, tenth] = await Promise.all([
      this.nine(number, startAt, loud),
      kind === 'quiet' ? undefined : this.tenth(number, startAt, loud ? 'mix' : 'live'),
      watch(),
    ]);
    const positions = loud ? await this.positions(nine.jobIds) : [];
    if (loud) await this.hold();
    return { nine, tenth, positions };
  }

  /** Waits until the api has done what nobody waits for any more. */
  private async settle(): Promise<void> {
    for (let idle = 0; idle < IDLE_LOOKS;) {
      await pause(100);
      idle = (await this.scenario.environment.query(BUSY)).length === 0 ? idle + 1 : 0;
    }
  }

  private async prepare(number: number): Promise<void> {
    const { tenants, tenth, requestsPerMinute, waitingJobs, queue } = this.scenario;
    await tenants.refreshMinute(tenth, requestsPerMinute + number);
    await tenants.fillQueue(tenth, waitingJobs);
    const filled = async () => (await queue.getPrioritizedCount()) + (await queue.getDelayedCount()) >= waitingJobs;
    await waitFor(filled, { what: `${waitingJobs} jobs to wait`, timeoutMs: 120_000, intervalMs: 200 });
  }

  private nine(number: number, startAt: number, loud: boolean): Promise<LoadReport> {
    const { ofNine, url, seconds, nine, ratePerSecond, jobs } = this.scenario;
    return ofNine.run({
      ...{ loop: 'open', url, seconds, startAt, seed: number + 1, callers: nine, perSecond: ratePerSecond },
      ...{ leadInSeconds: LEAD_IN_S, asks: 'mix', mostInFlight: MOST_OF_NINE, jobs: loud ? jobs : 0 },
    });
  }

  private tenth(number: number, startAt: number, asks: OpenPlan['asks']): Promise<LoadReport> {
    const { ofTenth, url, seconds, tenth, tenthPerSecond } = this.scenario;
    return ofTenth.run({
      ...{ loop: 'open', url, seconds, startAt, seed: number + 1, callers: [tenth], perSecond: tenthPerSecond },
      ...{ leadInSeconds: 0, asks, mostInFlight: MOST_OF_TENTH, jobs: 0 },
    });
  }

  /** Of the jobs that the nine have made, when all have ended. */
  private async positions(ids: readonly string[]): Promise<Position[]> {
    const { environment } = this.scenario;
    const ended = async () => {
      const [{ open }] = (await environment.query<{ open: string }>(
        'select count(*) as open from jobs where id = any ($1) and finished_at is null',
        [ids],
      )) as [{ open: string }];
      return Number(open) === 0;
    };
    await waitFor(ended, { what: 'the jobs of the nine to end', timeoutMs: 60_000, intervalMs: 200 });
    const jobs = await environment.query<RanJob>(
      `select id, organization_id as "organizationId", extract(epoch from created_at)::float8 * 1000 as "createdAt",
         extract(epoch from started_at)::float8 * 1000 as "startedAt", extract(epoch from finished_at)::float8 * 1000 as "finishedAt"
       from jobs where finished_at is null or finished_at >= (select min(created_at) from jobs where id = any ($1))`,
      [ids],
    );
    const own = new Set(ids);
    return jobs.filter(({ id }) => own.has(id)).map((job) => positionOf(job, jobs)!);
  }
}
