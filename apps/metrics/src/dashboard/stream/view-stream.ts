/**
 * A view as server-sent events. States: looking (asks whether the credential still counts, then at the view) → waiting (for the next
 * look, or to say that it is there) → looking …; it is over with the credential, which `event: end` says, with its age, with the
 * process, or with the client.
 */
import type { StreamWatch } from '#libs/http';
import { StockyardError } from '#libs/kernel';
import type { Look } from '../shared-view';

/** What EventSource waits before it connects again. */
const RETRY_MS = 2_000;
const HEARTBEAT_MS = 10_000;
const HEARTBEAT = ':\n\n';

export interface ViewStreamOptions {
  readonly watch: StreamWatch;
  readonly first: Look<unknown>;
  readonly everyMs: number;
  /** Throws when the credential no longer counts, or there is nothing to see any more. */
  readonly look: () => Promise<Look<unknown>>;
}

export class ViewStream {
  private told: string | undefined;
  private toldAt = 0;

  constructor(private readonly options: ViewStreamOptions) {}

  async *events(): AsyncGenerator<string> {
    const { watch, first, everyMs } = this.options;
    yield `retry: ${RETRY_MS}\n\n`;
    let look: Look<unknown> | undefined = first;
    for (;;) {
      const news = this.newsOf(look);
      if (news !== '') {
        this.toldAt = performance.now();
        yield news;
      }
      const silence = Math.max(0, this.toldAt + HEARTBEAT_MS - performance.now());
      if (!(await watch.next(0, Math.min(everyMs, silence)))) return;
      try {
        look = await this.next();
      } catch (error) {
        yield farewell(error as StockyardError);
        return;
      }
    }
  }

  /** Undefined while it cannot be told. Throws when there will be no more. */
  private async next(): Promise<Look<unknown> | undefined> {
    try {
      return await this.options.look();
    } catch (error) {
      const over = error instanceof StockyardError && OVER.has(error.category);
      if (over) throw error;
      return undefined;
    }
  }

  private newsOf(look: Look<unknown> | undefined): string {
    if (look && look.content !== this.told) {
      this.told = look.content;
      return `event: view\ndata: ${look.text}\n\n`;
    }
    return performance.now() - this.toldAt >= HEARTBEAT_MS ? HEARTBEAT : '';
  }
}

const OVER: ReadonlySet<string> = new Set(['unauthenticated', 'forbidden', 'not_found']);

function farewell({ code, message }: StockyardError): string {
  return `event: end\ndata: ${JSON.stringify({ reason: code, message })}\n\n`;
}
