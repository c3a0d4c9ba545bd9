/** The two ways to keep a view up to date: a stream of server-sent events, and asking now and then. */
import type { Ask, Client } from '../api/client';
import { NO_ANSWER, type Problem } from '../api/problem';
import { EventParser } from './event-parser';
import type { Attempt, Outcome } from './feed';

/** The server says something every 10 seconds; a stream that is silent for three times as long leads nowhere. */
const SILENCE_MS = 30_000;
const POLL_MS = 10_000;

const SILENT: Problem = { status: 0, code: 'silent', detail: 'The stream went silent.' };
const CUT: Problem = { status: 0, code: 'cut', detail: 'The stream was cut off.' };
const UNREADABLE: Problem = { status: 502, code: 'unreadable', detail: 'The stream held what is no view.' };

/** Of a stream that the server will not go on with. What holds now, the same view says when it is asked for. */
const OVER = 'over';

/**
 * Reads the stream of a view to its end. One that ends by itself is opened again: its process stops, or it is old. One that is
 * refused, or ends with `event: end`, leaves the view to be asked for: its answer says that the credential no longer counts, that
 * the tenant is gone, or, of a tenant that is suspended and may look but not follow, how things stand.
 */
export function stream<V>(client: Client, ask: Ask): Attempt<V> {
  const events = follow<V>(client, { ...ask, path: `${ask.path}/events` });
  const plain = poll<V>(client, ask);
  return async (take, signal) => {
    const outcome = await events(take, signal);
    return outcome === OVER ? plain(take, signal) : outcome;
  };
}

type Followed<V> = (...args: Parameters<Attempt<V>>) => Promise<Outcome | typeof OVER>;

function follow<V>(client: Client, ask: Ask): Followed<V> {
  return async (take, outer) => {
    const silence = new AbortController();
    const signal = AbortSignal.any([outer, silence.signal]);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const heard = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
    };
    heard();
    try {
      const opened = await client.open(ask, signal, 'text/event-stream');
      if (opened.problem?.status === 403) return OVER;
      if (opened.problem) return { problem: silence.signal.aborted ? SILENT : opened.problem };
      if (!opened.value.body) return { problem: NO_ANSWER };
      return await readEvents(opened.value.body, take, heard);
    } catch {
      return { problem: silence.signal.aborted ? SILENT : CUT };
    } finally {
      clearTimeout(timer);
    }
  };
}

async function readEvents<V>(
  body: ReadableStream<Uint8Array>,
  take: (view: V) => void,
  heard: () => void,
): Promise<Outcome | typeof OVER> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return {};
    heard();
    for (const { name, data } of parser.push(decoder.decode(value, { stream: true }))) {
      if (name === 'end') return OVER;
      if (name !== 'view') continue;
      let view: V;
      try {
        view = JSON.parse(data) as V;
      } catch {
        return { problem: UNREADABLE };
      }
      take(view);
    }
  }
}

/** Asks every ten seconds. */
export function poll<V>(client: Client, ask: Ask): Attempt<V> {
  return async (take, signal) => {
    const answer = await client.read<V>(ask, signal);
    if (answer.problem) return { problem: answer.problem };
    take(answer.value);
    return { againMs: POLL_MS };
  };
}
