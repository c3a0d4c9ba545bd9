/** A reader of the dashboard for end-to-end specs: asks its API with one credential, and follows its streams. */

export interface ReadAnswer {
  readonly status: number;
  readonly headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever it answers; specs look into it
  readonly body: any;
}

export interface SentEvent {
  readonly event: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever it sends; specs look into it
  readonly data: any;
}

export interface Followed extends ReadAnswer {
  /** Grows while the stream is read. */
  readonly events: SentEvent[];
  /** Resolves when the process has ended it. */
  readonly ended: Promise<void>;
  close(): void;
}

export class DashboardReader {
  constructor(
    private readonly url: string,
    private readonly authorization?: string,
  ) {}

  async get(path: string): Promise<ReadAnswer> {
    const response = await this.fetch(path);
    const text = await response.text();
    const json = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: json ? (JSON.parse(text) as unknown) : text };
  }

  async follow(path: string): Promise<Followed> {
    const leaving = new AbortController();
    const response = await this.fetch(path, leaving.signal);
    const { status, headers } = response;
    const close = () => leaving.abort();
    if (headers.get('content-type') !== 'text/event-stream') {
      const body = JSON.parse(await response.text()) as unknown;
      return { status, headers, body, events: [], ended: Promise.resolve(), close };
    }
    const events: SentEvent[] = [];
    return { status, headers, body: undefined, events, ended: read(response, events).catch(() => undefined), close };
  }

  private fetch(path: string, signal?: AbortSignal): Promise<Response> {
    return fetch(this.url + path, {
      headers: this.authorization === undefined ? {} : { authorization: this.authorization },
      ...(signal && { signal }),
    });
  }
}

async function read(response: Response, events: SentEvent[]): Promise<void> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + chunk).split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      const found = /^event: (.*)\ndata: (.*)$/s.exec(block);
      if (found) events.push({ event: found[1]!, data: JSON.parse(found[2]!) as unknown });
    }
  }
}
