/**
 * A shard in simulated time, for what governs jobs by its delay: processors that take statements first come, first served, requests that
 * come at random and whoever is served, jobs as many at once as the pace says, and the pace's own tiny statement, sent as a worker does.
 */
import type { DelayPace } from '../src/pace/delay-pace';

export interface Load {
  readonly processors: number;
  /** Statements of requests in a second; how many of the processors they take is this × STATEMENT_MS / 1000. */
  readonly requestsPerSecond: number;
  /** Whether there are always jobs to be done. */
  readonly jobs: boolean;
}

export interface Period {
  /** Mean wait for a processor of the requests that came. */
  readonly requestWaitMs: number;
  /** Mean of the widths at each sample. */
  readonly width: number;
  readonly jobsDone: number;
  /** Part of the processors' time in which they worked. */
  readonly used: number;
}

const STATEMENT_MS = 2;
const STATEMENTS_OF_JOB = 10;
const SAMPLE_MS = 50;
const PROBE_MS = 0.05;
const LONGEST_REST_MS = 1_000;

interface Statement {
  readonly sentAt: number;
  readonly tookMs: number;
  /** When a processor takes it. */
  readonly taken?: (waitedMs: number) => void;
  readonly done?: () => void;
}

export class SimulatedShard {
  now = 0;
  private readonly due: { readonly at: number; readonly happens: () => void }[] = [];
  private readonly queue: Statement[] = [];
  private busy = 0;
  private running = 0;
  private restUntil = 0;
  private askedAt: number | undefined;
  private load: Load = { processors: 1, requestsPerSecond: 0, jobs: false };
  private epoch = 0;
  private seen = { requests: 0, waitMs: 0, samples: 0, width: 0, jobsDone: 0, workedMs: 0 };

  constructor(
    private readonly pace: Pick<DelayPace, 'width' | 'sample'>,
    private state: number,
  ) {
    this.after(SAMPLE_MS, () => this.sample());
  }

  /** What happened in so many seconds under a load. */
  run(seconds: number, load: Load): Period {
    this.load = load;
    this.seen = { requests: 0, waitMs: 0, samples: 0, width: 0, jobsDone: 0, workedMs: 0 };
    this.epoch += 1;
    this.nextRequest(this.epoch);
    const until = this.now + seconds * 1_000;
    while (this.due.length > 0 && this.due[0]!.at <= until) {
      const { at, happens } = this.due.shift()!;
      this.now = at;
      happens();
      this.startJobs();
    }
    this.now = until;
    const { requests, waitMs, samples, width, jobsDone, workedMs } = this.seen;
    const used = workedMs / (seconds * 1_000 * load.processors);
    return { requestWaitMs: requests > 0 ? waitMs / requests : 0, width: width / samples, jobsDone, used };
  }

  private after(ms: number, happens: () => void): void {
    const at = this.now + ms;
    let place = this.due.length;
    while (place > 0 && this.due[place - 1]!.at > at) place -= 1;
    this.due.splice(place, 0, { at, happens });
  }

  /** Mulberry32: the same every time. */
  private random(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  private exponential(meanMs: number): number {
    return -meanMs * Math.log(1 - this.random());
  }

  private send(statement: Omit<Statement, 'sentAt'>): void {
    this.queue.push({ ...statement, sentAt: this.now });
    this.takeNext();
  }

  private takeNext(): void {
    while (this.busy < this.load.processors && this.queue.length > 0) {
      const { sentAt, tookMs, taken, done } = this.queue.shift()!;
      this.busy += 1;
      this.seen.workedMs += tookMs;
      taken?.(this.now - sentAt);
      this.after(tookMs, () => {
        this.busy -= 1;
        done?.();
        this.takeNext();
      });
    }
  }

  private nextRequest(epoch: number): void {
    if (this.load.requestsPerSecond === 0) return;
    this.after(this.exponential(1_000 / this.load.requestsPerSecond), () => {
      if (epoch !== this.epoch) return;
      const taken = (waitedMs: number) => {
        this.seen.requests += 1;
        this.seen.waitMs += waitedMs;
      };
      this.send({ tookMs: this.exponential(STATEMENT_MS), taken });
      this.nextRequest(epoch);
    });
  }

  private sample(): void {
    this.seen.samples += 1;
    this.seen.width += this.pace.width;
    this.after(SAMPLE_MS, () => this.sample());
    if (this.askedAt !== undefined) {
      this.pace.sample(this.now - this.askedAt, this.now);
      return;
    }
    const askedAt = this.now;
    this.askedAt = askedAt;
    const done = () => {
      this.askedAt = undefined;
      this.pace.sample(this.now - askedAt, this.now);
    };
    this.send({ tookMs: PROBE_MS, done });
  }

  private startJobs(): void {
    if (!this.load.jobs) return;
    while (this.now >= this.restUntil && this.running < Math.max(1, Math.floor(this.pace.width))) {
      this.running += 1;
      this.step(this.now, STATEMENTS_OF_JOB);
    }
  }

  private step(since: number, left: number): void {
    if (left > 0) {
      this.send({ tookMs: this.exponential(STATEMENT_MS), done: () => this.step(since, left - 1) });
      return;
    }
    this.running -= 1;
    this.seen.jobsDone += 1;
    const { width } = this.pace;
    if (width >= 1) return;
    const restMs = Math.min(LONGEST_REST_MS, (this.now - since) * (1 / width - 1));
    this.restUntil = this.now + restMs;
    this.after(restMs, () => undefined);
  }
}
