/** The event streams that are open in a process: hands hints on to them, bounds their number, and ends them when the process goes. */
import { StockyardError } from '#libs/kernel';
import { StreamWatch } from './stream-watch';

const RETRY_SECONDS = 10;

export interface StreamBounds {
  readonly most: number;
  /** Of one owner. */
  readonly mostEach: number;
  /** Said to who is refused. */
  readonly refusal: string;
}

export class StreamWatchers {
  private readonly byOwner = new Map<string, Set<StreamWatch>>();
  private count = 0;
  private leaving = false;

  constructor(private readonly bounds: StreamBounds) {}

  /** Open streams of this process. */
  get open(): number {
    return this.count;
  }

  /**
   * Call close() when it is over. Throws `too_many_streams` (429) beyond those of one owner, and `streams_unavailable` (503)
   * beyond those of the process or while it leaves.
   */
  watch(owner: string, topic: string): StreamWatch {
    const { most, mostEach } = this.bounds;
    const own = this.byOwner.get(owner) ?? new Set<StreamWatch>();
    if (own.size >= mostEach) throw this.refusal('too_many_streams', 'limited', { maximum: mostEach });
    if (this.leaving || this.count >= most) throw this.refusal('streams_unavailable', 'unavailable');
    const watch = new StreamWatch(owner, topic);
    this.byOwner.set(owner, own.add(watch));
    this.count += 1;
    return watch;
  }

  /** May be called again. */
  close(watch: StreamWatch): void {
    watch.end();
    const own = this.byOwner.get(watch.owner);
    if (!own?.delete(watch)) return;
    this.count -= 1;
    if (own.size === 0) this.byOwner.delete(watch.owner);
  }

  /** Something new of a topic; without one, something that concerns all of the owner's streams. */
  hint(owner: string, topic?: string): void {
    for (const watch of this.byOwner.get(owner) ?? []) {
      if (topic === undefined || watch.topic === topic) watch.hint();
    }
  }

  /** Before requests under way are waited for: a stream would not end by itself. */
  leave(): void {
    this.leaving = true;
    for (const own of this.byOwner.values()) for (const watch of own) watch.end();
  }

  private refusal(
    code: string,
    category: 'limited' | 'unavailable',
    details?: Readonly<Record<string, unknown>>,
  ): StockyardError {
    const { refusal: message } = this.bounds;
    return new StockyardError({ code, category, message, details, retryAfterSeconds: RETRY_SECONDS });
  }
}
