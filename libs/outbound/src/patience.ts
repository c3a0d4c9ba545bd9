/** How long a request may take, phase by phase, and the one signal that ends it. */
import { OutboundError } from './outbound.error';

/** All in milliseconds from the beginning of the request, but for `maxBytes`. */
export interface OutboundBounds {
  /** Until there is a connection: name, TCP and TLS. */
  readonly connectMs: number;
  /** Until the headers of the answer are there. */
  readonly headersMs: number;
  /** Until the last byte of the body is there, however steadily they drip. */
  readonly totalMs: number;
  /** Of the body, after decompression. */
  readonly maxBytes: number;
}

type Phase = 'connect' | 'headers' | 'total';

const LATE: Readonly<Record<Phase, string>> = {
  connect: 'There was no connection within',
  headers: 'The answer did not begin within',
  total: 'The answer was not whole within',
};

export class Patience {
  private readonly controller = new AbortController();
  private readonly timers: Readonly<Record<Phase, NodeJS.Timeout>>;
  private readonly stop = () =>
    this.controller.abort(new OutboundError('stopped', 'The request was given up by its caller.'));

  constructor(
    { connectMs, headersMs, totalMs }: OutboundBounds,
    private readonly caller?: AbortSignal,
  ) {
    const timers = { connect: connectMs, headers: headersMs, total: totalMs };
    const start = (phase: Phase) => setTimeout(() => this.abort(phase, timers[phase]), timers[phase]);
    this.timers = { connect: start('connect'), headers: start('headers'), total: start('total') };
    if (caller?.aborted) this.stop();
    caller?.addEventListener('abort', this.stop, { once: true });
  }

  /** Aborted with an OutboundError as its reason. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  over(phase: Phase): void {
    clearTimeout(this.timers[phase]);
  }

  end(): void {
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    this.caller?.removeEventListener('abort', this.stop);
  }

  private abort(phase: Phase, ms: number): void {
    this.controller.abort(new OutboundError('timeout', `${LATE[phase]} ${ms} ms.`));
  }
}
