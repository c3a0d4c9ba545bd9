/**
 * Server-sent events (HTML Standard, 9.2) as the body of an answer. Pulled by the socket: while the client does not read, nothing is made
 * for it, so a slow one costs an event of memory and not a queue. One that stops reading loses its connection (edge/slow-readers.ts).
 */
import { Readable } from 'node:stream';
import type { StreamWatch } from './stream-watch';

export const EVENT_STREAM = 'text/event-stream';

/** To take the last event, when a stream ends by itself. */
const FAREWELL_MS = 1_000;
/** What waits in the process for the socket to take it, beside the event at hand. */
const BUFFER_BYTES = 1_024;

interface EventStreamOptions {
  /** Texts of whole events. They end when the watch has ended. */
  readonly events: AsyncGenerator<string>;
  readonly watch: StreamWatch;
  /** How old it may become. */
  readonly lifeMs: number;
  /** Called once, however it ends. */
  readonly closed: () => void;
}

/** Destroy it when the client goes: see closeWith. */
export function eventStream({ events, watch, lifeMs, closed }: EventStreamOptions): Readable {
  const stream = Readable.from(events, { objectMode: false, highWaterMark: BUFFER_BYTES });
  // Whoever waits for the next event goes on: a generator that waits cannot be ended, and its place is not free until then.
  const destroy = stream._destroy.bind(stream);
  stream._destroy = (error, done) => {
    watch.end();
    destroy(error, done);
  };
  const farewell = () => void setTimeout(() => stream.destroy(), FAREWELL_MS).unref();
  watch.signal.addEventListener('abort', farewell, { once: true });
  const life = setTimeout(() => watch.end(), lifeMs).unref();
  // Not in the generator: one that never began has no end.
  stream.once('close', () => {
    clearTimeout(life);
    closed();
  });
  return stream;
}

interface Answer {
  readonly destroyed: boolean;
  once(event: 'close', listener: () => void): unknown;
}

/** The stream ends with the answer that it is the body of. */
export function closeWith(answer: Answer, stream: Readable): void {
  answer.once('close', () => stream.destroy());
  if (answer.destroyed) stream.destroy();
}
