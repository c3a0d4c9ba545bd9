/**
 * Asks one kind of thing of all its sources, on a schedule of its own, and keeps what they said: scrapes read memory, and two scrapers
 * ask nobody twice. A source that does not answer in time is left out from then on until it does, and reported: what was true
 * of it before may not be any more.
 *
 * resting → a round: each source is asked, all at once → resting. Rounds do not overlap; the pause is counted from their end.
 */
import { inTime } from '#libs/kernel';

/** Somebody who is asked, such as one server. */
export interface Source<T> {
  readonly name: string;
  read(): Promise<T>;
}

export interface CollectorOptions<T> {
  /** Stands in `stockyard_collector_up`. */
  readonly name: string;
  readonly everyMs: number;
  readonly patienceMs: number;
  /** Asked for anew at each round; the names are few and stay. */
  sources(): readonly Source<T>[];
}

export interface Collected<T> {
  readonly source: string;
  readonly value: T;
}

export interface SourceState {
  readonly source: string;
  readonly isUp: boolean;
}

type Answer<T> = Collected<T> | { readonly source: string; readonly error: unknown };

export class Collector<T = unknown> {
  private answers: readonly Answer<T>[] = [];
  private first: Promise<void> | undefined;
  private current: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(private readonly options: CollectorOptions<T>) {}

  get name(): string {
    return this.options.name;
  }

  /** Begins with a round now. */
  start(): void {
    this.first ??= this.current = this.round();
  }

  /** No further round begins; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.current;
  }

  /** Of the sources that answered in the last round; waits for the first one. Never rejects. */
  async values(): Promise<readonly Collected<T>[]> {
    await this.first;
    return this.answers.flatMap((answer) => ('value' in answer ? [answer] : []));
  }

  async states(): Promise<readonly SourceState[]> {
    await this.first;
    return this.answers.map((answer) => ({ source: answer.source, isUp: 'value' in answer }));
  }

  private async round(): Promise<void> {
    const { sources, everyMs } = this.options;
    this.answers = await Promise.all(sources().map((source) => this.ask(source)));
    if (this.stopped) return;
    const next = (): void => void (this.current = this.round());
    this.timer = setTimeout(next, everyMs * (0.9 + 0.2 * Math.random())).unref();
  }

  private async ask({ name, read }: Source<T>): Promise<Answer<T>> {
    try {
      return { source: name, value: await inTime(read(), this.options.patienceMs) };
    } catch (error) {
      return { source: name, error };
    }
  }
}
